"""
The one write path: state, the events the decision caused and the idempotency record, written at once or not at all.

    commit = Commit(cause)
    commit.put(tables.orders(), order, when=absent(), otherwise=already_ordered)
    commit.emit(order_created(order))
    once.remember(commit, cause, Reply(201, {"orderId": order_id}))
    commit.write()

One action is a conditional PutItem or UpdateItem (1 write unit per KB); several are a TransactWriteItems (2 per KB,
at most 100 actions). Events ride on the commit's first item, in its `outbox` attribute: the table's stream is the
outbox. A later write of that item which emits nothing removes the attribute, so no stream record tells it twice.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.exceptions import ClientError

from tillflow.errors import Unavailable
from tillflow.messaging.envelope import Cause, Event
from tillflow.messaging.packing import pack
from tillflow.runtime import aws, backoff, faults
from tillflow.storage.attributes import Item, from_item, to_item
from tillflow.storage.tables import Key
from tillflow.values import ids

_NAME = re.compile(r"#(\w+)")

# The error that a failed condition means, given the item that failed it (None where there is no item). No error: what is
# there can only be what this commit wrote, before an answer was lost, and others have gone on from it since.
type Otherwise = Callable[[Item | None], Exception | None]


@dataclass(frozen=True, slots=True)
class When:
    """A condition: a DynamoDB expression over `#attribute` names and `:value` names, and the *values*."""

    expression: str
    values: Mapping[str, Any]


def when(expression: str, **values: Any) -> When:
    """Return the condition *expression*, e.g. `when("#status = :pending", pending="pending")`."""
    return When(expression, values)


def always() -> When:
    """Return the condition that always holds."""
    return When("", {})


def absent() -> When:
    """Return the condition that there is no such item yet."""
    return When("attribute_not_exists(#pk)", {})


def unchanged(known: Item | None, names: Iterable[str]) -> When:
    """Return the condition that an item has these attributes as *known*, which was read; that there is none where it is None."""
    if known is None:
        return absent()
    tests = (f"#{name} = :{name}" if name in known else f"attribute_not_exists(#{name})" for name in names)
    return when(" AND ".join(tests), **{name: known[name] for name in names if name in known})


@dataclass(slots=True)
class _Action:
    """One item's part of a commit; becomes a request only when it is sent."""

    kind: Literal["Put", "Update"]
    table: str
    target: dict[str, Any]
    when: When
    otherwise: Otherwise
    change: dict[str, Any] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    remove: tuple[str, ...] = ()

    def carry(self, name: str, value: str | bytes) -> None:
        """Let the written item have this attribute too."""
        (self.target if self.kind == "Put" else self.change)[name] = value

    def request(self) -> dict[str, Any]:
        """Return the action as DynamoDB takes it; attribute names stand for themselves behind `#`."""
        clauses = {
            "SET": [f"#{name} = :{name}_" for name in self.change],
            "ADD": [f"#{name} :{name}_" for name in self.add],
            "REMOVE": [f"#{name}" for name in self.remove],
        }
        update = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)
        names = {*_NAME.findall(self.when.expression), *self.change, *self.add, *self.remove}
        values = {f":{name}_": value for name, value in (*self.change.items(), *self.add.items())}
        values |= {f":{name}": value for name, value in self.when.values.items()}
        request: dict[str, Any] = {
            "TableName": self.table,
            "Item" if self.kind == "Put" else "Key": to_item(self.target),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if self.when.expression:
            request["ConditionExpression"] = self.when.expression
        if names:
            request["ExpressionAttributeNames"] = {f"#{name}": name for name in sorted(names)}
        if values:
            request["ExpressionAttributeValues"] = to_item(values)
        if update:
            request["UpdateExpression"] = update
        return request


class Commit:
    """Collects what one decision writes, then writes it once. *cause* stamps the events it emits."""

    def __init__(self, cause: Cause) -> None:
        self._cause = cause
        self._actions: list[_Action] = []
        self._events: list[Event] = []
        # Names this commit to DynamoDB, so that sending it again after a lost answer is not a second commit.
        self._token = ids.new()

    def put(self, table: str, item: Mapping[str, Any], *, when: When, otherwise: Otherwise) -> None:
        """Write the whole *item* if *when* holds; else `write` raises what *otherwise* returns."""
        self._actions.append(_Action("Put", table, dict(item), when, otherwise))

    def update(
        self,
        table: str,
        key: Key,
        *,
        when: When,
        otherwise: Otherwise,
        change: Mapping[str, Any] | None = None,
        add: Mapping[str, int] | None = None,
        remove: tuple[str, ...] = (),
    ) -> None:
        """Set (*change*), count up or down (*add*) and *remove* attributes of one item if *when* holds."""
        self._actions.append(_Action("Update", table, dict(key), when, otherwise, dict(change or {}), add or {}, remove))

    def first(self, table: str, item: Mapping[str, Any], *, when: When, otherwise: Otherwise) -> None:
        """Like `put`, before everything else: its refusal is told first and the events ride on it."""
        self.put(table, item, when=when, otherwise=otherwise)
        self._actions.insert(0, self._actions.pop())

    def emit(self, *events: Event) -> None:
        """Publish *events* because of this commit: surely if it is written, never if it is not."""
        self._events += events

    def write(self) -> None:
        """
        Write everything or nothing.

        Conflicts, throttles and failures of DynamoDB are tried again with full jitter while the invocation has time.
        An answer that was lost is no danger: the same token, or the token on the item, shows that it was this commit.

        Raises:
            the first failed condition's error; EventTooLarge where an event would not fit the bus; Unavailable when
            DynamoDB did not take the commit in time.
        """
        self._load_outbox()
        send = self._send_transaction
        if len(self._actions) == 1:
            self._actions[0].carry("commit_token", self._token)
            send = self._send_one
        failure: Exception | None = None
        for _ in backoff.attempts(seconds=aws.LONGEST_CALL_SECONDS):
            try:
                return send()
            except (*faults.LOST, ClientError) as error:
                if isinstance(error, ClientError) and not _may_retry(error):
                    raise
                failure = error
        raise Unavailable("The database did not take the change in time. Send the same request again.") from failure

    def _load_outbox(self) -> None:
        """Put the events on the first item; take spent ones off every other that is updated."""
        for action in self._actions:
            if action is self._actions[0] and self._events:
                action.carry("outbox", pack(self._events, self._cause))
            elif action.kind == "Update":
                action.remove += ("outbox",)

    def _send_one(self) -> None:
        (action,) = self._actions
        client = aws.client("dynamodb")
        call: Any = client.put_item if action.kind == "Put" else client.update_item
        try:
            call(**action.request())
        except client.exceptions.ConditionalCheckFailedException as error:
            found = _found(error.response)
            if found and found.get("commit_token") == self._token:
                return  # An answer was lost: the condition ran into this very commit.
            if refusal := action.otherwise(found):
                raise refusal from error

    def _send_transaction(self) -> None:
        client = aws.client("dynamodb")
        actions: list[Any] = [{action.kind: action.request()} for action in self._actions]
        try:
            client.transact_write_items(TransactItems=actions, ClientRequestToken=self._token)
        except client.exceptions.TransactionCanceledException as error:
            for action, reason in zip(self._actions, error.response["CancellationReasons"], strict=True):
                if reason["Code"] == "ConditionalCheckFailed":
                    if refusal := action.otherwise(_found(reason)):
                        raise refusal from error
                    return
            raise


def _found(response: Mapping[str, Any]) -> Item | None:
    """Return the item that a condition failed on."""
    return from_item(response["Item"]) if response.get("Item") else None


def _may_retry(error: ClientError) -> bool:
    reasons = {reason["Code"] for reason in error.response.get("CancellationReasons", ())}
    return faults.is_transient(error) or bool(
        reasons & {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
    )
