"""DynamoDB's tables in memory: items, and the order that each index has them in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Self

from tests.faults.expressions import Item, comparable

type Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """The names of its key's attributes, and of all that are *held* in it (None: whatever an item has)."""

    key: tuple[str, ...]
    held: frozenset[str] | None = None

    def show(self, item: Item) -> Item:
        """Return what of an item is in the index."""
        return item if self.held is None else {name: item[name] for name in item.keys() & self.held}


@dataclass(frozen=True, slots=True)
class Partition:
    """The items of a partition in their order, and the places that they stand at."""

    places: list[tuple[Any, ...]]
    items: list[Item]


@dataclass(slots=True)
class Table:
    """One table: the names of its key's attributes, its indexes by name (the table itself under the empty one), its items."""

    key: tuple[str, ...]
    indexes: dict[str, Index]
    items: dict[Key, Item] = field(default_factory=dict)
    _read: dict[tuple[str, str], Partition] = field(default_factory=dict)

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> Self:
        """Return an empty table of this definition (CloudFormation's)."""
        key = _names(definition)
        indexes = {each["IndexName"]: _index(key, each) for each in definition.get("GlobalSecondaryIndexes", ())}
        return cls(key, {"": Index(key), **indexes})

    def key_of(self, item: Mapping[str, Any]) -> Key:
        """Return the key of an item, or of a key as a request has it."""
        return tuple(next(iter(item[name].values())) for name in self.key)

    def place_of(self, index: Index, item: Item) -> tuple[Any, ...]:
        """Return where an item stands in its partition of *index*. Several may have the same key: then the table's decides."""
        return tuple(comparable(item[name]) for name in (*index.key[1:], *self.key))

    def put(self, key: Key, item: Item | None) -> None:
        """Have this item under its key from now on, or none."""
        self._read.clear()
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item

    def replace(self, items: Mapping[Key, Item]) -> None:
        """Have these items and no others."""
        self._read.clear()
        self.items = dict(items)

    def partition(self, name: str, pk: str) -> Partition:
        """Return a partition of an index; it is found once for all queries until something is written."""
        if (name, pk) not in self._read:
            index = self.indexes[name]
            found = [item for item in self.items.values() if all(each in item for each in index.key)]
            found = [item for item in found if item[index.key[0]].get("S") == pk]
            placed = sorted(((self.place_of(index, item), item) for item in found), key=itemgetter(0))
            self._read[name, pk] = Partition([place for place, _ in placed], [item for _, item in placed])
        return self._read[name, pk]


def _index(key: tuple[str, ...], definition: Mapping[str, Any]) -> Index:
    projection, keys = definition["Projection"], _names(definition)
    everything = projection["ProjectionType"] == "ALL"
    return Index(keys, None if everything else frozenset({*keys, *key, *projection.get("NonKeyAttributes", ())}))


def _names(definition: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in definition["KeySchema"])
