"""Stock in DynamoDB: reads, and the writes they add to a commit."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from operator import itemgetter
from typing import Any

from tillflow.contexts.stock import rules, tables
from tillflow.contexts.stock.rules import Level, Line, Stocked, Variant, Warehouse
from tillflow.storage import database
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, always, when
from tillflow.storage.tables import INDEX_PARTITIONS, index_partition
from tillflow.values import clock

_INDEX_KEYS = ("released", "released_at")


def find_warehouse(warehouse_id: str) -> Warehouse:
    """
    Return the warehouse.

    Raises:
        WarehouseNotFound: there is none.
    """
    item = database.get(tables.stock(), tables.warehouse_key(warehouse_id))
    if item is None:
        raise rules.WarehouseNotFound("There is no warehouse with this id.")
    return Warehouse(warehouse_id, item["code"], item["name"], item["active"], tuple(item["seller_ids"]))


def find_variant(variant_id: str) -> Stocked | None:
    """Return the variant with its levels, or None. One query: they share a partition."""
    items = database.partition(tables.stock(), tables.variant_key(variant_id)["pk"])
    levels = tuple(_level(variant_id, item) for item in items if tables.is_level(item))
    for item in items:
        if not tables.is_level(item):
            return Stocked(_variant(variant_id, item), levels)
    return None


def find_event(event_id: str) -> Item | None:
    """Return a stock event or reservation as stored, or None."""
    return database.get(tables.stock(), tables.stock_event_key(event_id))


def find_events(event_ids: Sequence[str]) -> Iterator[Item]:
    """Yield those of the stock events and reservations that exist, in any order."""
    # DynamoDB refuses a batch that names one twice.
    return database.batch(tables.stock(), [tables.stock_event_key(event_id) for event_id in dict.fromkeys(event_ids)])


def released(since: str, until: str) -> Iterator[Item]:
    """Yield the reservations that were given back within these moments (ISO 8601), newest first."""
    partitions = [database.between(*_released_in(pk, since, until), ScanIndexForward=False) for pk in INDEX_PARTITIONS]
    return heapq.merge(*partitions, key=itemgetter("released_at"), reverse=True)


def count_released(since: str, until: str) -> int:
    """Return how many reservations were given back within these moments (ISO 8601)."""
    return sum(database.count(*_released_in(pk, since, until)) for pk in INDEX_PARTITIONS)


def _released_in(pk: str, since: str, until: str) -> tuple[str, str, tuple[str, str], str, tuple[str, str]]:
    return tables.stock(), tables.RELEASED_INDEX, _INDEX_KEYS, pk, (since, until)


def add_warehouse(commit: Commit, warehouse: Warehouse, otherwise: Callable[[], Exception]) -> None:
    """Store a new warehouse."""
    item = asdict(warehouse) | {"seller_ids": list(warehouse.seller_ids)}
    del item["warehouse_id"]
    key = tables.warehouse_key(warehouse.warehouse_id)
    commit.put(tables.stock(), key | item, when=absent(), otherwise=lambda _: otherwise())


def add_variant(commit: Commit, variant: Variant, otherwise: Callable[[], Exception]) -> None:
    """Store a new variant."""
    item: dict[str, Any] = {
        "sku": variant.sku,
        "name": variant.name,
        "active": variant.active,
        "expires_at": clock.iso(variant.expires_at) if variant.expires_at else None,
    }
    key = tables.variant_key(variant.variant_id)
    commit.put(tables.stock(), key | item, when=absent(), otherwise=lambda _: otherwise())


def add_event(commit: Commit, event_id: str, event: Item, lines: Sequence[Line], otherwise: Callable[[Item], Exception]) -> None:
    """Store a new line of the ledger, or a reservation; *otherwise* gets the one that is there."""
    item = tables.stock_event_key(event_id) | event | {"lines": [asdict(line) for line in lines]}
    commit.put(tables.stock(), item, when=absent(), otherwise=lambda found: otherwise(found or {}))


def turn(
    commit: Commit, reservation_id: str, before: str, change: dict[str, Any], otherwise: Callable[[Item | None], Exception]
) -> None:
    """Give a reservation another status, from *before*; *otherwise* gets the one that is there."""
    commit.update(
        tables.stock(),
        tables.stock_event_key(reservation_id),
        change=change,
        when=when("#status = :before", before=before),
        otherwise=otherwise,
    )


def release_marks(order_id: str, at: datetime) -> dict[str, str]:
    """Return the attributes that put a reservation into the release audit's index."""
    return {"released": index_partition(order_id), "released_at": clock.iso(at)}


def move(commit: Commit, line: Line, otherwise: Callable[[int], Exception]) -> None:
    """Add the line's signed quantity to what is available, never below zero; *otherwise* gets what is available."""
    # A condition on what is there, not on what was read: two tills may sell the last unit.
    enough = when("#available >= :need", need=-line.quantity) if line.quantity < 0 else always()
    commit.update(
        tables.stock(),
        tables.level_key(line.variant_id, line.warehouse_id),
        add={"available": line.quantity},
        when=enough,
        otherwise=lambda level: otherwise(level["available"] if level else 0),
    )


def lines_of(item: Item) -> list[Line]:
    """Return the lines of a stored stock event or reservation."""
    return [Line(**line) for line in item["lines"]]


def _level(variant_id: str, item: Item) -> Level:
    return Level(variant_id, tables.warehouse_id_of(item), item["available"])


def _variant(variant_id: str, item: Item) -> Variant:
    expires_at = item.get("expires_at")
    return Variant(variant_id, item["sku"], item["name"], item["active"], clock.parse(expires_at) if expires_at else None)
