"""
DynamoDB in memory, as far as the stack uses it: ten times as fast as moto, which copies whole tables for a transaction. The
harness has it below botocore's retries (wire.py), other tests in the place of a call (tests/backends.py).

test_dynamodb.py holds it against moto. Stored items are never changed, only replaced: a copy of the dictionaries is a
snapshot of everything.
"""

import base64
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import pytest

from tests.faults.expressions import Item, Scope, check, comparable, condition, update
from tests.faults.tables import Index, Key, Table
from tillflow.storage import attributes

type Body = dict[str, Any]

# The one partition that a query reads, and the stretch of it.
_STRETCH = re.compile(r"(#?\w+) = (:\w+)(?: AND (#?\w+) BETWEEN (:\w+) AND (:\w+))?")
# DynamoDB's limits of one request.
_MOST_READ, _MOST_WRITTEN, _MOST_ACTIONS = 100, 25, 100
# Of a partition key and a sort key, in bytes.
_LONGEST_KEYS = (2048, 1024)


class Refused(Exception):
    """DynamoDB answers 400: *body* is its answer."""

    def __init__(self, code: str, message: str = "", **more: Any) -> None:
        super().__init__(f"{code} {message}")
        self.body = {"__type": code, "message": message, **more}


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
        self.tables = {name: Table.of(each) for name, each in definitions.items()}
        self.on_change: Callable[[str, Item], None] = lambda _table, _item: None
        self._done_tokens: dict[str, str] = {}

    def snapshot(self) -> Any:
        """Return everything that is stored."""
        return {name: dict(table.items) for name, table in self.tables.items()}, dict(self._done_tokens)

    def restore(self, snapshot: Any) -> None:
        """Have stored what was stored when *snapshot* was taken."""
        items, tokens = snapshot
        for name, table in self.tables.items():
            table.replace(items[name])
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
        if "TableName" in body:
            self._find(body["TableName"])
        for action in [body, *(each for pair in body.get("TransactItems", ()) for each in pair.values())]:
            _check_expressions(action)
        answer: Body = getattr(self, f"_do_{operation}")(body)
        return answer

    def _find(self, table: str) -> Table:
        if table not in self.tables:
            raise Refused("ResourceNotFoundException", "Requested resource not found")
        return self.tables[table]

    # --- reads

    def _do_GetItem(self, body: Body) -> Body:  # noqa: N802 - the operation's name
        table = self.tables[body["TableName"]]
        found = table.items.get(table.key_of(body["Key"]))
        return {"Item": found} if found else {}

    def _do_BatchGetItem(self, body: Body) -> Body:  # noqa: N802
        found = {}
        for name, wanted in body["RequestItems"].items():
            table = self._find(name)
            keys = [table.key_of(key) for key in wanted["Keys"]]
            if len(keys) > _MOST_READ or len(set(keys)) < len(keys):
                raise Refused("ValidationException", "Too many items requested, or list of item keys contains duplicates")
            found[name] = [table.items[key] for key in keys if key in table.items]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _do_Query(self, body: Body) -> Body:  # noqa: N802
        table, name = self.tables[body["TableName"]], body.get("IndexName", "")
        index = table.indexes[name]
        pk, bounds = _stretch(body, index)
        partition = table.partition(name, pk)
        first, end = 0, len(partition.items)
        if bounds:
            low, high = map(comparable, bounds)
            first = bisect_left(partition.places, low, key=itemgetter(0))
            end = bisect_right(partition.places, high, key=itemgetter(0))
        is_forward = body.get("ScanIndexForward", True)
        if "ExclusiveStartKey" in body:
            start = table.place_of(index, body["ExclusiveStartKey"])
            if is_forward:
                first = max(first, bisect_right(partition.places, start))
            else:
                end = min(end, bisect_left(partition.places, start))
        found = partition.items[first:end] if is_forward else partition.items[first:end][::-1]
        page = found[: body.get("Limit", len(found))]
        last = {"LastEvaluatedKey": {each: page[-1][each] for each in {*index.key, *table.key}}} if len(page) < len(found) else {}
        shown = {} if body.get("Select") == "COUNT" else {"Items": [index.show(item) for item in page]}
        return {"Count": len(page), **shown, **last}

    def _do_Scan(self, body: Body) -> Body:  # noqa: N802
        items = list(self.tables[body["TableName"]].items.values())
        return {"Items": items, "Count": len(items)}

    def _do_DeleteTable(self, body: Body) -> Body:  # noqa: N802
        del self.tables[body["TableName"]]
        return {}

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
            if len(actions) > _MOST_WRITTEN or len({self._key(*each) for each in actions}) < len(actions):
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
        targets = {(action["TableName"], self._key(kind, action)) for kind, action in actions}
        if len(actions) > _MOST_ACTIONS or len(targets) < len(actions):
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
        key = self._find(action["TableName"]).key_of(action["Item" if kind == "Put" else "Key"])
        if not all(key):
            raise Refused("ValidationException", "One or more parameter values are not valid: an empty string as a key")
        if any(len(str(each).encode()) > most for each, most in zip(key, _LONGEST_KEYS, strict=False)):
            raise Refused("ValidationException", "One or more parameter values were invalid: a key has exceeded its maximum size")
        return key

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
            self.tables[change.table].put(change.key, change.after)
        for change in changed:
            if change.after is not None:
                self.on_change(change.table, change.after)


def plain(item: Item) -> attributes.Item:
    """Return a stored item as plain Python values; JSON has its bytes as base64 text."""
    return attributes.from_item(
        {name: {"B": base64.b64decode(value["B"])} if "B" in value else value for name, value in item.items()}
    )


def _check_expressions(action: Body) -> None:
    given = (*action.get("ExpressionAttributeNames", ()), *action.get("ExpressionAttributeValues", ()))
    check(tuple(text for name, text in action.items() if name.endswith("Expression")), given)


def _stretch(body: Body, index: Index) -> tuple[str, list[Any]]:
    """Return which partition of an index a query reads, and between what (both included; nothing: all of it)."""
    parts = _STRETCH.fullmatch(body["KeyConditionExpression"])
    if parts is None:
        pytest.fail(f"the harness does not know the expression {body['KeyConditionExpression']!r}")
    names, values = body.get("ExpressionAttributeNames", {}), body["ExpressionAttributeValues"]
    asked = tuple(names.get(name, name) for name in parts.group(1, 3) if name)
    assert asked == index.key[: len(asked)], f"a query of {asked} by the key {index.key}"
    bounds = [values[name] for name in parts.group(4, 5) if name]
    if any(value in ({"S": ""}, {"B": ""}) for value in (values[parts[2]], *bounds)):
        raise Refused("ValidationException", "A key attribute cannot contain an empty string value")
    if bounds and comparable(bounds[0]) > comparable(bounds[1]):
        raise Refused("ValidationException", "The BETWEEN operator requires upper bound to be greater than or equal to lower")
    return values[parts[2]]["S"], bounds


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
