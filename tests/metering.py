"""
What a world's calls cost, by DynamoDB's rules: a write unit a KB, two in a transaction, and one for each index written; a read
unit a 4 KB, half of one where it need not be consistent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests import template
from tillflow.runtime import aws
from tillflow.storage.attributes import from_item

_KB = 1024
_KEYS = ("pk", "sk")
_WRITES = ("put_item", "update_item", "transact_write_items", "batch_write_item")
_READS = ("get_item", "batch_get_item", "query")

type Item = dict[str, Any]


class Meter:
    """The write *units* of a world's calls since it was made, by table; the units that were *read*; the *calls*' names."""

    def __init__(self) -> None:
        self.units: dict[str, int] = {}
        self.read = 0.0
        self.calls: list[str] = []

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
    before = {name: getattr(client, name) for name in (*_WRITES, *_READS)}

    def held(written: list[tuple[str, Item]]) -> list[Item]:
        return [before["get_item"](TableName=table, Key=key).get("Item", {}) for table, key in written]

    def metering(name: str) -> Any:
        def call(**request: Any) -> Any:
            meter.calls.append(name)
            written = list(_written(request)) if name in _WRITES else []
            had = held(written)
            answer = before[name](**request)
            for (table, _), old, new in zip(written, had, held(written), strict=True):
                meter.note(table, old, new, factor=2 if "TransactItems" in request else 1)
            if name in _READS:
                meter.read += _read_units(request, answer)
            return answer

        return call

    for name in before:
        setattr(client, name, metering(name))
    try:
        yield meter
    finally:
        for name in before:
            delattr(client, name)


def _read_units(request: dict[str, Any], answer: Any) -> float:
    if "RequestItems" in request:
        return sum(
            _units_read(wanted, [item])
            for table, wanted in request["RequestItems"].items()
            for item in answer["Responses"][table]
        )
    # What is only counted is read all the same: keys, as an entry of the list of movements has them.
    items = answer.get("Items", [answer["Item"]] if "Item" in answer else [_COUNTED] * answer.get("Count", 0))
    return _units_read(request, items)


def _units_read(request: dict[str, Any], items: list[Item]) -> float:
    blocks = max(1, -(-sum(map(_size, items)) // (4 * _KB)))
    return blocks if request.get("ConsistentRead") else blocks / 2


_COUNTED: Item = {"pk": {"S": "p" * 12}, "sk": {"S": "s" * 39}}


def _written(request: dict[str, Any]) -> Iterator[tuple[str, Item]]:
    batches = request.get("RequestItems", {}).items()
    parts = [{"TableName": table, **part} for table, some in batches for each in some for part in each.values()]
    actions = [action for each in request.get("TransactItems", ()) for action in each.values()] or parts or [request]
    for action in actions:
        keys = action["Item"] if "Item" in action else action["Key"]
        yield action["TableName"], {name: keys[name] for name in _KEYS if name in keys}


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
