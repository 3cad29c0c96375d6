"""What a world's writes cost, by DynamoDB's rules: a write unit a KB, two in a transaction, and one for each index written."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.client import BaseClient

from tests import template
from tillflow.runtime import aws
from tillflow.storage.attributes import from_item

_KB = 1024
_KEYS = ("pk", "sk")
_WRITES = {"PutItem": "put_item", "UpdateItem": "update_item", "TransactWriteItems": "transact_write_items"}

type Item = dict[str, Any]


class Meter:
    """The write *units* of a world's calls since it was made, by table."""

    def __init__(self) -> None:
        self.units: dict[str, int] = {}

    @property
    def total(self) -> int:
        """All write units together."""
        return sum(self.units.values())

    def note(self, table: str, before: Item, after: Item, *, factor: int) -> None:
        """Count one item's write."""
        largest = max(_size(before), _size(after))
        units = factor * -(-largest // _KB) + sum(_index_units(index, before, after) for index in _indexes(table))
        self.units[table] = self.units.get(table, 0) + units


@contextmanager
def metered() -> Iterator[Meter]:
    """Meter what is written meanwhile."""
    client, meter = aws.client("dynamodb"), Meter()
    before = {name: getattr(client, name) for name in _WRITES.values()}

    def metering(name: str) -> Any:
        def call(**request: Any) -> Any:
            written = list(_written(request))
            held = [_read(client, table, key) for table, key in written]
            answer = before[name](**request)
            for (table, key), item in zip(written, held, strict=True):
                meter.note(table, item, _read(client, table, key), factor=2 if "TransactItems" in request else 1)
            return answer

        return call

    for name in before:
        setattr(client, name, metering(name))
    try:
        yield meter
    finally:
        for name in before:
            delattr(client, name)


def _written(request: dict[str, Any]) -> Iterator[tuple[str, Item]]:
    actions = [action for each in request.get("TransactItems", ()) for action in each.values()] or [request]
    for action in actions:
        keys = action["Item"] if "Item" in action else action["Key"]
        yield action["TableName"], {name: keys[name] for name in _KEYS if name in keys}


def _read(client: BaseClient, table: str, key: Item) -> Item:
    answer: Any = client.get_item(TableName=table, Key=key)  # type: ignore[attr-defined]
    return answer.get("Item", {})  # type: ignore[no-any-return]


def _indexes(table: str) -> list[dict[str, Any]]:
    indexes: list[dict[str, Any]] = template.resources(template.TABLE)[table].get("GlobalSecondaryIndexes", [])
    return indexes


def _index_units(index: dict[str, Any], before: Item, after: Item) -> int:
    """Return what an index costs: nothing where what it holds of the item has not changed (Developer Guide, GSI throughput)."""
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    held = {*keys, *_KEYS, *index["Projection"].get("NonKeyAttributes", ())}
    if index["Projection"]["ProjectionType"] == "ALL":
        held |= before.keys() | after.keys()
    out, into = ({name: item[name] for name in held if name in item} if keys[0] in item else {} for item in (before, after))
    if out == into:
        return 0
    # Another place in the index is a deletion and an insertion.
    moved = out and into and any(out[name] != into[name] for name in keys)
    return sum(-(-_size(each) // _KB) for each in (out, into) if each) if moved else -(-max(_size(out), _size(into)) // _KB)


def _size(item: Item) -> int:
    """Return an item's bytes, as the Developer Guide counts them."""
    return sum(len(name.encode()) + _size_of(value) for name, value in from_item(item).items())


def _size_of(value: Any) -> int:
    match value:
        case str():
            return len(value.encode())
        case bytes():
            return len(value)
        case bool() | None:
            return 1
        case list():
            return 3 + sum(1 + _size_of(each) for each in value)
        case dict():
            return 3 + sum(1 + len(name.encode()) + _size_of(each) for name, each in value.items())
    return 1 + (len(str(value)) + 1) // 2
