"""Master data in DynamoDB: warehouses and variants, what lists them, and what says where a seller is named."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any

from tillflow.contexts.stock import store, tables
from tillflow.contexts.stock.rules import Level, Line, Variant, Warehouse
from tillflow.storage import database
from tillflow.storage.again import Moved
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, When, absent, always, when
from tillflow.storage.tables import Key
from tillflow.values import clock

_INDEX_KEYS = ("listed", "listed_as")
# So many entries a request: a page far down is read in a few requests, and a first one reads little in vain.
_CHUNK = 250
_LAST = "\x7f"  # stands after every character that a code or SKU may have


def listed(partitions: Iterable[str], prefix: str, after: str, most: int) -> list[Item]:
    """
    Return up to *most* entries of the index, in the order of the names they are listed under.

    Those names begin with *prefix* and come after *after*.
    """
    # A space comes before every character that a code or SKU may have, so this is next to *after* itself.
    bounds = max(prefix, f"{after} "), f"{prefix}{_LAST}"
    if bounds[0] > bounds[1]:
        return []
    chunk = min(most, _CHUNK)
    runs = [database.between(tables.stock(), tables.LISTED_INDEX, _INDEX_KEYS, each, bounds, Limit=chunk) for each in partitions]
    return list(islice(heapq.merge(*runs, key=itemgetter("listed_as")), most))


def warehouses_of(user_id: str) -> Iterator[Warehouse]:
    """Yield the warehouses that name a seller, in any order."""
    # What says so is only ever added to: the warehouse itself has the last word.
    named_in = [tables.warehouse_id_of(item) for item in database.partition(tables.stock(), tables.seller_partition(user_id))]
    return (warehouse for warehouse in store.find_warehouses(named_in) if user_id in warehouse.seller_ids)


def add_warehouse(commit: Commit, warehouse: Warehouse, otherwise: Callable[[], Exception]) -> None:
    """Store a new warehouse, which lists it, and for the sellers that it names."""
    key = tables.warehouse_key(warehouse.warehouse_id)
    commit.put(tables.stock(), key | _warehouse_item(warehouse), when=absent(), otherwise=lambda _: otherwise())
    _name(commit, warehouse, warehouse.seller_ids, otherwise)


def change_warehouse(commit: Commit, before: Warehouse, after: Warehouse, otherwise: Callable[[], Exception]) -> None:
    """Store what has changed of a warehouse, if it is still as it was *before*."""
    _change(commit, tables.warehouse_key(after.warehouse_id), _warehouse_item(after), before.version, otherwise)
    _name(commit, after, set(after.seller_ids) - set(before.seller_ids), otherwise)


def levels_follow(commit: Commit, warehouse: Warehouse, otherwise: Callable[[], Exception]) -> None:
    """Note that all the warehouse's levels are as open as this version of it."""
    _settled(commit, tables.warehouse_key(warehouse.warehouse_id), "levels_behind", warehouse.version, otherwise)


def units_follow(commit: Commit, variant: Variant, otherwise: Callable[[], Exception]) -> None:
    """Note that the variant's units are spread over the shards that this version of it has."""
    _settled(commit, tables.variant_key(variant.variant_id), "units_behind", variant.version, otherwise)


def _settled(commit: Commit, key: Key, behind: str, version: int, otherwise: Callable[[], Exception]) -> None:
    same = when("#version = :settled", settled=version)
    commit.update(tables.stock(), key, remove=(behind,), when=same, otherwise=lambda _: otherwise())


def align(commit: Commit, level: Level, warehouse: Warehouse, otherwise: Callable[[], Exception]) -> None:
    """Let a level be as open as this version of its warehouse, if it does not go by a later one."""
    commit.update(
        tables.stock(),
        store.level_key(level.variant_id, level.warehouse_id, level.shard),
        # A shard that nothing was put into yet is closed too.
        add={"available": 0},
        change={"warehouse_version": warehouse.version} | ({} if warehouse.active else {"closed": True}),
        remove=("closed",) if warehouse.active else (),
        when=when("attribute_not_exists(#warehouse_version) OR #warehouse_version < :version", version=warehouse.version),
        otherwise=lambda _: otherwise(),
    )


def list_level(commit: Commit, line: Line, otherwise: Callable[[], Exception]) -> None:
    """Enter the level of a line in the index of its warehouse's levels, if it is not there."""
    commit.update(
        tables.stock(),
        tables.level_key(line.variant_id, line.warehouse_id),
        change=tables.listed(tables.levels_listed(line.warehouse_id), line.sku),
        when=when("attribute_exists(#pk) AND attribute_not_exists(#listed)"),
        otherwise=lambda _: otherwise(),
    )


def set_reorder_point(commit: Commit, level: Level, otherwise: Callable[[], Exception], *, alone: bool, untold: bool) -> None:
    """
    Store a level's reorder point, or take it away, and whether it is low.

    If it is *alone* (has no other shards), then only if it is that by what is available now; if it is *untold* that it was
    low before, then only if it still is.
    """
    point, side = level.reorder_point, "<" if level.low else ">="
    is_so = [f"#available {side} :point"] if alone and point is not None else []
    conditions = is_so + (["attribute_not_exists(#low)"] if untold else [])
    commit.update(
        tables.stock(),
        tables.level_key(level.variant_id, level.warehouse_id),
        change=({} if point is None else {"reorder_point": point}) | ({"low": True} if level.low else {}),
        remove=(*(("reorder_point",) if point is None else ()), *(() if level.low else ("low",))),
        when=When(" AND ".join(conditions), {"point": point} if is_so else {}),
        otherwise=lambda _: otherwise(),
    )


def mark_shard(commit: Commit, level: Level, shard: int) -> None:
    """Let another shard of a level have the level's reorder point, so that a change of it is looked at too."""
    point = level.reorder_point
    commit.update(
        tables.stock(),
        store.level_key(level.variant_id, level.warehouse_id, shard),
        # One that nothing was put into yet has it too.
        add={"available": 0},
        change={} if point is None else {"reorder_point": point},
        remove=("reorder_point",) if point is None else (),
        when=always(),
        otherwise=lambda _: Moved(),
    )


def note_low(commit: Commit, level: Level, otherwise: Callable[[], Exception], *, alone: bool) -> None:
    """Store whether a level is low, if that is not noted yet and, if it is *alone*, by what is available it is so now."""
    noted, side = ("attribute_not_exists(#low)", "<") if level.low else ("attribute_exists(#low)", ">")
    is_so = f" AND #available {side} :point" if alone else ""
    commit.update(
        tables.stock(),
        tables.level_key(level.variant_id, level.warehouse_id),
        change={"low": True} if level.low else {},
        remove=() if level.low else ("low",),
        when=when(f"{noted} AND #reorder_point = :point{is_so}", point=level.reorder_point),
        otherwise=lambda _: otherwise(),
    )


def add_variant(commit: Commit, variant: Variant, otherwise: Callable[[], Exception]) -> None:
    """Store a new variant, which lists it."""
    key = tables.variant_key(variant.variant_id)
    commit.put(tables.stock(), key | _variant_item(variant), when=absent(), otherwise=lambda _: otherwise())


def set_homes(
    commit: Commit, variant_id: str, before: Sequence[str], after: Sequence[str], otherwise: Callable[[], Exception]
) -> None:
    """Store a variant's homes, if they are still as they were *before*."""
    none = when("attribute_exists(#pk) AND attribute_not_exists(#homes)")
    commit.update(
        tables.stock(),
        tables.variant_key(variant_id),
        change={"homes": list(after)},
        when=when("#homes = :before", before=list(before)) if before else none,
        otherwise=lambda _: otherwise(),
    )


def change_variant(commit: Commit, before: Variant, after: Variant, otherwise: Callable[[], Exception]) -> None:
    """Store what has changed of a variant, if it is still as it was *before*."""
    _change(commit, tables.variant_key(after.variant_id), _variant_item(after), before.version, otherwise)


def _change(commit: Commit, key: Key, item: Mapping[str, Any], version: int, otherwise: Callable[[], Exception]) -> None:
    commit.update(
        tables.stock(),
        key,
        change={name: value for name, value in item.items() if value is not None},
        remove=tuple(name for name, value in item.items() if value is None),
        when=when("#version = :before", before=version),
        otherwise=lambda _: otherwise(),
    )


def _name(commit: Commit, warehouse: Warehouse, user_ids: Iterable[str], otherwise: Callable[[], Exception]) -> None:
    for user_id in user_ids:
        key = tables.seller_key(user_id, warehouse.warehouse_id)
        commit.put(tables.stock(), key, when=always(), otherwise=lambda _: otherwise())


def _warehouse_item(warehouse: Warehouse) -> Item:
    return {
        "code": warehouse.code,
        "name": warehouse.name,
        "active": warehouse.active,
        "seller_ids": list(warehouse.seller_ids),
        "version": warehouse.version,
        "levels_behind": warehouse.levels_behind or None,
        **tables.listed(tables.warehouses_listed(active=warehouse.active), warehouse.code),
    }


def _variant_item(variant: Variant) -> Item:
    return {
        "sku": variant.sku,
        "name": variant.name,
        "active": variant.active,
        "expires_at": clock.iso(variant.expires_at) if variant.expires_at else None,
        "version": variant.version,
        "shards": variant.shards if variant.shards > 1 else None,
        "shards_ever": variant.shards_ever if variant.shards_ever > 1 else None,
        "units_behind": variant.units_behind or None,
        **tables.listed(tables.variants_listed(active=variant.active), variant.sku),
    }
