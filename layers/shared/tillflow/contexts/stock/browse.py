"""Warehouses, variants and a warehouse's levels, one by one and page by page, as far as the caller may see them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tillflow.contexts.stock import masters, recents, rules, service, shards, store, tables
from tillflow.contexts.stock.models import LevelQuery, VariantQuery, WarehouseQuery
from tillflow.contexts.stock.rules import Variant, VariantNotFound, Warehouse, WarehouseNotFound
from tillflow.messaging.envelope import Cause
from tillflow.storage.attributes import Item
from tillflow.values import clock
from tillflow.web.numbered import Named, page_of


def warehouse(warehouse_id: str, cause: Cause) -> Warehouse:
    """
    Return a warehouse.

    Raises:
        WarehouseNotFound: there is none, or the caller is a seller whom it does not name.
    """
    found = store.find_warehouse(warehouse_id)
    if not rules.sees(found, cause.user_id, cause.roles):
        raise WarehouseNotFound("There is no warehouse with this id.")
    return found


def variant(variant_id: str) -> Variant:
    """
    Return a variant.

    Raises:
        VariantNotFound: there is none.
    """
    for found in store.find_variants([variant_id]):
        return found
    raise VariantNotFound("There is no variant with this id.")


def warehouse_page(query: WarehouseQuery, cause: Cause) -> dict[str, Any]:
    """Return a page of the warehouses that the caller may see, by code."""
    if rules.is_bound(cause.roles):
        return _own_warehouses(query, cause)

    def show(entries: list[Item]) -> list[dict[str, Any]]:
        wanted = _once(entries)
        found = {each.warehouse_id: each for each in store.find_warehouses(wanted) if _fits(each, active=query.active)}
        return [present_warehouse(found[each], cause) for each in wanted if each in found]

    partitions = [tables.warehouses_listed(active=each) for each in _activities(active=query.active)]
    of = ("warehouses", query.code, _word(active=query.active))
    return page_of(query, of=of, read=_listed(partitions, query.code), show=show)


def _own_warehouses(query: WarehouseQuery, cause: Cause) -> dict[str, Any]:
    """Return a page of the warehouses that name the caller; they are read whole, for a seller has few."""
    mine = {each.code: each for each in masters.warehouses_of(cause.user_id) if _fits(each, active=query.active)}
    codes = sorted(code for code in mine if code.startswith(query.code or ""))

    def read(after: str, most: int) -> list[Named[Warehouse]]:
        return [(code, mine[code]) for code in codes if code > after][:most]

    def show(warehouses: list[Warehouse]) -> list[dict[str, Any]]:
        return [present_warehouse(each, cause) for each in warehouses]

    return page_of(query, of=("warehouses of", cause.user_id, query.code, _word(active=query.active)), read=read, show=show)


def variant_page(query: VariantQuery) -> dict[str, Any]:
    """Return a page of the variants, by SKU."""

    def show(entries: list[Item]) -> list[dict[str, Any]]:
        wanted = _once(entries)
        found = {
            each.variant_id: each for each in store.find_variants(wanted, consistent=False) if _fits(each, active=query.active)
        }
        return [present_variant(found[each]) for each in wanted if each in found]

    partitions = [tables.variants_listed(active=each) for each in _activities(active=query.active)]
    of = ("variants", query.sku, _word(active=query.active))
    return page_of(query, of=of, read=_listed(partitions, query.sku), show=show)


def level_page(warehouse_id: str, query: LevelQuery, open_orders: Iterable[str], cause: Cause) -> dict[str, Any]:
    """
    Return a page of a warehouse's levels, by SKU (see `service.levels`).

    Raises:
        WarehouseNotFound: there is none, or the caller is a seller whom it does not name.
    """
    place = warehouse(warehouse_id, cause).warehouse_id

    def show(entries: list[Item]) -> list[dict[str, Any]]:
        skus = {tables.id_of(entry): entry["listed_as"] for entry in entries}
        found = shards.find_totals(place, skus)
        held = service.held_by(open_orders) if found else {}
        return [
            {"variantId": each, "variantSku": sku} | service.present_level(found[each], held)
            for each, sku in skus.items()
            if each in found
        ]

    prefix = query.sku or ""

    def read(after: str, most: int) -> list[Named[Item]]:
        # What was recorded a moment ago may be in no index yet.
        new = {sku: each for sku, each in recents.levels_moved(place).items() if sku > after and sku.startswith(prefix)}
        entries = {entry["listed_as"]: entry for entry in masters.listed([tables.levels_listed(place)], prefix, after, most)}
        entries |= {sku: tables.variant_key(each) | {"listed_as": sku} for sku, each in new.items()}
        return sorted(entries.items())[:most]

    return page_of(query, of=("levels", place, query.sku), read=read, show=show)


def present_warehouse(warehouse: Warehouse, cause: Cause) -> dict[str, Any]:
    """Return a warehouse as it is shown to the caller: a seller is not told who else is one there."""
    sellers = [cause.user_id] if rules.is_bound(cause.roles) else list(warehouse.seller_ids)
    return {
        "id": warehouse.warehouse_id,
        "code": warehouse.code,
        "name": warehouse.name,
        "active": warehouse.active,
        "sellerIds": sellers,
    }


def present_variant(variant: Variant) -> dict[str, Any]:
    """Return a variant as it is shown."""
    return {
        "id": variant.variant_id,
        "sku": variant.sku,
        "name": variant.name,
        "active": variant.active,
        "expiresAt": clock.iso(variant.expires_at) if variant.expires_at else None,
        "shards": variant.shards,
    }


def _once(entries: Iterable[Item]) -> list[str]:
    """Return the ids of the index's entries; what is being (de)activated may be under both for a moment."""
    return list(dict.fromkeys(map(tables.id_of, entries)))


def _fits(master: Warehouse | Variant, *, active: bool | None) -> bool:
    """Tell whether it is as active as is wanted: the index may be a moment behind."""
    return active in (None, master.active)


def _word(*, active: bool | None) -> str | None:
    """Return what a token remembers of the filter."""
    return None if active is None else str(active)


def _activities(*, active: bool | None) -> list[bool]:
    return [True, False] if active is None else [active]


def _listed(partitions: Sequence[str], prefix: str | None) -> Callable[[str, int], list[Named[Item]]]:
    """Return what reads the index's entries under names that begin with *prefix*."""
    return lambda after, most: [(entry["listed_as"], entry) for entry in masters.listed(partitions, prefix or "", after, most)]
