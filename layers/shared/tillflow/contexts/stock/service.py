"""Levels and the release audit."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from tillflow.contexts.stock import allocation, rules, shards, store
from tillflow.contexts.stock.events import units_by_sku
from tillflow.contexts.stock.models import ReleaseExportQuery, ReleasePageQuery, ReleaseQuery
from tillflow.contexts.stock.reservations import reservation_id_of
from tillflow.contexts.stock.rules import Level, VariantNotFound
from tillflow.storage.attributes import Item

# A variant's id and a warehouse's.
type Place = tuple[str, str]


def levels(variant_id: str, open_orders: Iterable[str], user_id: str, roles: Sequence[str]) -> dict[str, Any]:
    """
    Return a variant's level in every warehouse that has had it; to a seller, in those that the seller is authorised for.

    `available` is exact. `reserved` is what the reservations of *open_orders* (their ids) hold, and `onHand` the two
    together: no write ever waits for these numbers, so while orders are under way they may be a moment old.

    Raises:
        VariantNotFound: there is no such variant.
    """
    have = shards.find_variant(variant_id)
    if have is None:
        raise VariantNotFound("There is no variant with this id.")
    shown = _of_caller(allocation.by_warehouse(have.levels), user_id, roles)
    held = held_by(open_orders)
    return {"items": [{"warehouseId": level.warehouse_id} | present_level(level, held) for level in shown]}


def _of_caller(levels: Sequence[Level], user_id: str, roles: Sequence[str]) -> Sequence[Level]:
    if not rules.is_bound(roles):
        return levels
    found = store.find_warehouses(level.warehouse_id for level in levels)
    own = {each.warehouse_id for each in found if user_id in each.seller_ids}
    return [level for level in levels if level.warehouse_id in own]


def present_level(level: Level, held: Mapping[Place, int]) -> dict[str, Any]:
    """Return a level's numbers; *held* is what reservations hold."""
    reserved = held.get((level.variant_id, level.warehouse_id), 0)
    watched = {} if level.reorder_point is None else {"reorderPoint": level.reorder_point, "low": level.low}
    return {"onHand": level.available + reserved, "reserved": reserved, "available": level.available, **watched}


def held_by(open_orders: Iterable[str]) -> Mapping[Place, int]:
    """Return the units of each variant in each warehouse that the reservations of these orders hold."""
    held: Counter[Place] = Counter()
    for reservation in store.find_events([reservation_id_of(order_id) for order_id in open_orders]):
        if reservation["status"] == rules.PENDING:
            for line in rules.opposite(store.lines_of(reservation)):
                held[line.variant_id, line.warehouse_id] += line.quantity
    return held


def release_page(query: ReleasePageQuery) -> dict[str, Any]:
    """Return a page of the release audit, newest first: `{content, page, size, totalElements, totalPages}`."""
    first = query.page * query.size
    content = [_release(item) for item in islice(_released(query), first, first + query.size)]
    # A page that is not full is the last one; the others need counting.
    is_last = len(content) < query.size and (content or not first)
    total = first + len(content) if is_last else _count(query)
    return {
        "content": content,
        "page": query.page,
        "size": query.size,
        "totalElements": total,
        "totalPages": -(-total // query.size),
    }


def release_export(query: ReleaseExportQuery) -> list[dict[str, Any]]:
    """Return up to `limit` releases, newest first."""
    return [_release(item) for item in islice(_released(query), query.limit)]


def _count(query: ReleaseQuery) -> int:
    return store.count_released(query.since, query.until) if query.orderId is None else sum(1 for _ in _released(query))


def _released(query: ReleaseQuery) -> Iterator[Item]:
    if query.orderId is None:
        return store.released(query.since, query.until)
    found = store.find_event(reservation_id_of(str(query.orderId)))
    matches = found is not None and query.since <= found.get("released_at", "") <= query.until
    return iter([found] if found and matches else [])


def _release(item: Item) -> dict[str, Any]:
    return {
        "releaseId": item["release_id"],
        "orderId": item["order_id"],
        "reservationId": reservation_id_of(item["order_id"]),
        "reason": item["release_reason"],
        "releasedItems": [
            {"skuId": units["sku_id"], "quantity": units["quantity"]} for units in units_by_sku(store.lines_of(item))
        ],
        "releasedAt": item["released_at"],
        "traceId": item["trace_id"],
    }
