"""Stock in DynamoDB: reads, and the writes they add to a commit."""

import heapq
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple
from datetime import datetime
from operator import itemgetter
from typing import Any

from tillflow.contexts.stock import rules, tables
from tillflow.contexts.stock.rules import Level, Line, Stocked, Variant, Warehouse
from tillflow.storage import database
from tillflow.storage.again import Moved
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, always, when
from tillflow.storage.tables import INDEX_PARTITIONS, Key, index_partition
from tillflow.values import clock, jsontext

_INDEX_KEYS = ("released", "released_at")

# A variant's id, a warehouse's, and a shard.
type Place = tuple[str, str, int]


def find_warehouse(warehouse_id: str) -> Warehouse:
    """
    Return the warehouse.

    Raises:
        WarehouseNotFound: there is none.
    """
    return _warehouse(warehouse_id, database.get(tables.stock(), tables.warehouse_key(warehouse_id)))


def find_warehouses(warehouse_ids: Iterable[str], *, consistent: bool = False) -> Iterator[Warehouse]:
    """Yield those of the warehouses that there are, in any order; each costs half a read unit, *consistent* one."""
    keys = [tables.warehouse_key(each) for each in dict.fromkeys(warehouse_ids)]
    for item in database.batch(tables.stock(), keys, consistent=consistent):
        yield _warehouse(tables.id_of(item), item)


def find_variants(variant_ids: Iterable[str], *, consistent: bool = True) -> Iterator[Variant]:
    """Yield those of the variants that there are, without their levels, in any order; not *consistent*, they cost half."""
    keys = [tables.variant_key(each) for each in dict.fromkeys(variant_ids)]
    for item in database.batch(tables.stock(), keys, consistent=consistent):
        yield _variant(tables.id_of(item), item)


def find_homes(variant_ids: Iterable[str], *, consistent: bool = True) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the homes (ids of warehouses, see homes.py) of those of the variants that there are; not *consistent*, for half."""
    keys = [tables.variant_key(each) for each in dict.fromkeys(variant_ids)]
    for item in database.batch(tables.stock(), keys, consistent=consistent):
        yield tables.id_of(item), tuple(item.get("homes", ()))


def find_variant(variant_id: str) -> Stocked | None:
    """Return the variant with its levels, or None. One query: they share a partition."""
    items = database.partition(tables.stock(), tables.variant_key(variant_id)["pk"])
    levels = tuple(level_of(item) for item in items if tables.is_level(item))
    for item in items:
        if not tables.is_level(item):
            return Stocked(_variant(variant_id, item), levels)
    return None


def find_shard(variant_id: str, shard: int) -> tuple[Level, ...]:
    """Return one shard (not the first) of a variant's levels."""
    items = database.partition(tables.stock(), tables.shard_partition(variant_id, shard))
    return tuple(level_of(item) for item in items)


def find_levels(places: Iterable[Place], *, consistent: bool = True) -> Iterator[Level]:
    """Yield those of the levels that there are, in any order; not *consistent*, they cost half."""
    for item in database.batch(tables.stock(), [level_key(*place) for place in places], consistent=consistent):
        yield level_of(item)


def find_event(event_id: str) -> Item | None:
    """Return a stock event or reservation as stored, or None."""
    return database.get(tables.stock(), tables.stock_event_key(event_id))


def find_events(event_ids: Iterable[str], *, consistent: bool = True) -> Iterator[Item]:
    """Yield those of the stock events and reservations that exist, in any order; not *consistent*, they cost half."""
    # DynamoDB refuses a batch that names one twice.
    keys = [tables.stock_event_key(event_id) for event_id in dict.fromkeys(event_ids)]
    return database.batch(tables.stock(), keys, consistent=consistent)


def released(since: str, until: str) -> Iterator[Item]:
    """Yield the reservations that were given back within these moments (ISO 8601), newest first."""
    partitions = [database.between(*_released_in(pk, since, until), ScanIndexForward=False) for pk in INDEX_PARTITIONS]
    return heapq.merge(*partitions, key=itemgetter("released_at"), reverse=True)


def count_released(since: str, until: str) -> int:
    """Return how many reservations were given back within these moments (ISO 8601)."""
    return sum(database.count(*_released_in(pk, since, until)) for pk in INDEX_PARTITIONS)


def _released_in(pk: str, since: str, until: str) -> tuple[str, str, tuple[str, str], str, tuple[str, str]]:
    return tables.stock(), tables.RELEASED_INDEX, _INDEX_KEYS, pk, (since, until)


def add_event(commit: Commit, event: Item, otherwise: Callable[[Item], Exception]) -> None:
    """Store a new `event_item`; *otherwise* gets the one that is there."""
    commit.put(tables.stock(), event, when=absent(), otherwise=lambda found: otherwise(found or {}))


def event_item(event_id: str, event: Item, lines: Sequence[Line]) -> Item:
    """Return a stock event or reservation as it is stored."""
    return tables.stock_event_key(event_id) | event | {"lines": _packed(lines)}


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


def count_shift(commit: Commit, variant_id: str) -> None:
    """Note with the variant that units were shifted between its shards."""
    key = tables.variant_key(variant_id)
    commit.update(tables.stock(), key, add={"shifts": 1}, when=always(), otherwise=lambda _: Moved())


def move(
    commit: Commit,
    line: Line,
    otherwise: Callable[[int], Exception],
    *,
    for_order: bool = False,
    released: bool = False,
    reorder_point: int | None = None,
) -> None:
    """
    Add the line's signed quantity to what is available, never below zero; *otherwise* gets what is available.

    What goes *for_order* is taken of no closed level. The level counts the events that stand in it, so that whoever compares
    the two knows whether he has seen them all; a reservation that is *released* no longer does. A shard that lacks its level's
    *reorder_point* is given it.
    """
    # A condition on what is there, not on what was read: two tills may sell the last unit.
    is_open = " AND attribute_not_exists(#closed)" if for_order else ""
    enough = when(f"#available >= :need{is_open}", need=-line.quantity) if line.quantity < 0 else always()
    commit.update(
        tables.stock(),
        level_key(line.variant_id, line.warehouse_id, line.shard),
        change={} if reorder_point is None else {"reorder_point": reorder_point},
        add={"available": line.quantity, "events": -1 if released else 1},
        when=enough,
        otherwise=lambda level: otherwise(level["available"] if level else 0),
    )


def lines_of(item: Item) -> list[Line]:
    """Return the lines of a stored stock event or reservation."""
    columns = jsontext.loads(zlib.decompress(item["lines"]))
    # A line's variant follows from its SKU (docs/adr/0008).
    return [Line(rules.variant_id_of(sku), sku, *rest) for sku, *rest in zip(*columns, strict=True)]


def _packed(lines: Sequence[Line]) -> bytes:
    # A write unit is a kilobyte. Deflated by columns, ninety lines are about one.
    rows = (astuple(line)[1:] for line in lines)
    columns = list(zip(*rows, strict=True))
    # Few variants are counted in shards: of the others, nobody reads that theirs is the first.
    return zlib.compress(jsontext.dumps(columns if any(line.shard for line in lines) else columns[:-1]).encode(), level=9)


def level_key(variant_id: str, warehouse_id: str, shard: int) -> Key:
    """Return the key of a level's shard."""
    return tables.shard_key(variant_id, shard, warehouse_id) if shard else tables.level_key(variant_id, warehouse_id)


def _warehouse(warehouse_id: str, item: Item | None) -> Warehouse:
    if item is None:
        raise rules.WarehouseNotFound("There is no warehouse with this id.")
    sellers, behind = tuple(item["seller_ids"]), "levels_behind" in item
    return Warehouse(warehouse_id, item["code"], item["name"], item["active"], sellers, item["version"], behind)


def level_of(item: Item) -> Level:
    """Return a stored level, or shard of one."""
    variant_id, warehouse_id, shard = tables.place_of(item)
    return Level(
        variant_id,
        warehouse_id,
        item["available"],
        closed="closed" in item,
        warehouse_version=item.get("warehouse_version", 0),
        shard=shard,
        reorder_point=item.get("reorder_point"),
        low="low" in item,
        events=item.get("events", 0),
        listed="listed" in item,
    )


def _variant(variant_id: str, item: Item) -> Variant:
    expires_at = clock.parse(item["expires_at"]) if "expires_at" in item else None
    of_shards = item.get("shards", 1), item.get("shards_ever", 1), item.get("shifts", 0), "units_behind" in item
    return Variant(variant_id, item["sku"], item["name"], item["active"], expires_at, item["version"], *of_shards)
