"""
DynamoDB in memory, as far as the stack uses it: ten times as fast as moto, which copies whole tables for a transaction.

test_dynamodb.py holds it against moto. Stored items are never changed, only replaced: a copy of the dictionaries is a
snapshot of everything.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.faults.expressions import Item, Scope, comparable, condition, update
from tillflow.storage import attributes

type Body = dict[str, Any]
type Key = tuple[str, ...]


class Refused(Exception):
    """DynamoDB answers 400: *body* is its answer."""

    def __init__(self, code: str, message: str = "", **more: Any) -> None:
        super().__init__(f"{code} {message}")
        self.body = {"__type": code, "message": message, **more}


@dataclass(slots=True)
class Table:
    """One table: the names of its key's attributes, those of each index's, and its items."""

    key: tuple[str, ...]
    indexes: dict[str, tuple[str, ...]]
    items: dict[Key, Item] = field(default_factory=dict)

    def key_of(self, item: Mapping[str, Any]) -> Key:
        """Return the key of an item, or of a key as a request has it."""
        return tuple(next(iter(item[name].values())) for name in self.key)


@dataclass(slots=True)
class _Change:
    """What one action writes if all goes well: *after* is None where the item is deleted."""

    table: str
    key: Key
    before: Item | None
    after: Item | None


class DynamoDB:
    """Every table by name. *on_change* is told of each item that is not as it was, and of what it is now."""

    def __init__(self, definitions: Mapping[str, Mapping[str, Any]]) -> None:
        self.tables = {
            name: Table(_names(each), {index["IndexName"]: _names(index) for index in each.get("GlobalSecondaryIndexes", ())})
            for name, each in definitions.items()
        }
        self.on_change: Callable[[str, Item], None] = lambda _table, _item: None
        self._done_tokens: dict[str, str] = {}

    def snapshot(self) -> Any:
        """Return everything that is stored."""
        return {name: dict(table.items) for name, table in self.tables.items()}, dict(self._done_tokens)

    def restore(self, snapshot: Any) -> None:
        """Have stored what was stored when *snapshot* was taken."""
        items, tokens = snapshot
        for name, table in self.tables.items():
            table.items = dict(items[name])
        self._done_tokens = dict(tokens)

    def knows(self, operation: str) -> bool:
        """Tell whether *operation* is one of ours."""
        return hasattr(self, f"_do_{operation}")

    def do(self, operation: str, body: Body) -> Body:
        """
        Do what a request asks for, and return the answer's body.

        Raises:
            Refused: it is a 400.
        """
        answer: Body = getattr(self, f"_do_{operation}")(body)
        return answer

    # --- reads

    def _do_GetItem(self, body: Body) -> Body:  # noqa: N802 - the operation's name
        table = self.tables[body["TableName"]]
        found = table.items.get(table.key_of(body["Key"]))
        return {"Item": found} if found else {}

    def _do_BatchGetItem(self, body: Body) -> Body:  # noqa: N802
        found = {
            name: [item for key in wanted["Keys"] if (item := self.tables[name].items.get(self.tables[name].key_of(key)))]
            for name, wanted in body["RequestItems"].items()
        }
        return {"Responses": found, "UnprocessedKeys": {}}

    def _do_Query(self, body: Body) -> Body:  # noqa: N802
        table = self.tables[body["TableName"]]
        keys = table.indexes[body["IndexName"]] if "IndexName" in body else table.key
        wanted = condition(body["KeyConditionExpression"])
        found = [item for item in table.items.values() if keys[0] in item and wanted(Scope.of(item, body))]
        # Items of an index may have the same key: then the table's decides.
        found.sort(key=lambda item: [comparable(item[name]) for name in (*keys, *table.key)])
        if not body.get("ScanIndexForward", True):
            found.reverse()
        if "ExclusiveStartKey" in body:
            start = [table.key_of(item) for item in found].index(table.key_of(body["ExclusiveStartKey"])) + 1
            found = found[start:]
        page = found[: body.get("Limit", len(found))]
        last = {"LastEvaluatedKey": {name: page[-1][name] for name in {*keys, *table.key}}} if len(page) < len(found) else {}
        return {"Count": len(page), **last} if body.get("Select") == "COUNT" else {"Items": page, "Count": len(page), **last}

    def _do_DescribeTable(self, body: Body) -> Body:  # noqa: N802
        return {"Table": {"TableName": body["TableName"], "TableStatus": "ACTIVE"}}

    # --- writes

    def _do_PutItem(self, body: Body) -> Body:  # noqa: N802
        return self._write_one("Put", body)

    def _do_UpdateItem(self, body: Body) -> Body:  # noqa: N802
        return self._write_one("Update", body)

    def _do_DeleteItem(self, body: Body) -> Body:  # noqa: N802
        return self._write_one("Delete", body)

    def _do_BatchWriteItem(self, body: Body) -> Body:  # noqa: N802
        for table, requests in body["RequestItems"].items():
            parts = [
                ({"PutRequest": "Put", "DeleteRequest": "Delete"}[kind], part) for each in requests for kind, part in each.items()
            ]
            actions = [(kind, {"TableName": table, **part}) for kind, part in parts]
            if len({self._key(*each) for each in actions}) < len(actions):
                raise Refused("ValidationException", "Provided list of item keys contains duplicates")
            self._apply([self._decide(*each) for each in actions])
        return {"UnprocessedItems": {}}

    def _write_one(self, kind: str, body: Body) -> Body:
        change = self._decide(kind, body)
        self._apply([change])
        return {"Attributes": change.before} if body.get("ReturnValues") == "ALL_OLD" and change.before else {}

    def _do_TransactWriteItems(self, body: Body) -> Body:  # noqa: N802
        # A transaction that comes again under its token is the same transaction.
        token, request = body.get("ClientRequestToken"), json.dumps(body)
        if token in self._done_tokens:
            if self._done_tokens[token] != request:
                pytest.fail("a ClientRequestToken came again with another transaction")
            return {}
        actions = [pair for item in body["TransactItems"] for pair in item.items()]
        if len({(action["TableName"], self._key(kind, action)) for kind, action in actions}) < len(actions):
            raise Refused("ValidationException", "Transaction request cannot include multiple operations on one item")
        changes, reasons = [], []
        for kind, action in actions:
            try:
                changes.append(self._decide(kind, action))
                reasons.append({"Code": "None"})
            except Refused as refused:
                reasons.append({"Code": "ConditionalCheckFailed", "Message": "", **_old(refused)})
        if len(changes) < len(reasons):
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)
        self._apply(changes)
        if token:
            self._done_tokens[token] = request
        return {}

    def _key(self, kind: str, action: Body) -> Key:
        return self.tables[action["TableName"]].key_of(action["Item" if kind == "Put" else "Key"])

    def _decide(self, kind: str, action: Body) -> _Change:
        """Return what *action* will change, or refuse it."""
        key = self._key(kind, action)
        before = self.tables[action["TableName"]].items.get(key)
        scope = Scope.of(before, action)
        if "ConditionExpression" in action and not condition(action["ConditionExpression"])(scope):
            shown = {"Item": before} if before and action.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else {}
            raise Refused("ConditionalCheckFailedException", "The conditional request failed", **shown)
        return _Change(action["TableName"], key, before, _after(kind, action, scope))

    def _apply(self, changes: Iterable[_Change]) -> None:
        changed = [change for change in changes if change.after != change.before]
        for change in changed:
            items = self.tables[change.table].items
            if change.after is None:
                del items[change.key]
            else:
                items[change.key] = change.after
        for change in changed:
            if change.after is not None:
                self.on_change(change.table, change.after)


def plain(item: Item) -> attributes.Item:
    """Return a stored item as plain Python values; JSON has its bytes as base64 text."""
    return attributes.from_item(
        {name: {"B": base64.b64decode(value["B"])} if "B" in value else value for name, value in item.items()}
    )


def _names(definition: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in definition["KeySchema"])


def _old(refused: Refused) -> Body:
    return {"Item": refused.body["Item"]} if "Item" in refused.body else {}


def _after(kind: str, action: Body, scope: Scope) -> Item | None:
    match kind:
        case "Put":
            return dict(action["Item"])
        case "Delete":
            return None
        case "ConditionCheck":
            return scope.item or None
    after = {**action["Key"], **scope.item}
    for step in update(action.get("UpdateExpression", "")):
        step(scope, after)
    return after
