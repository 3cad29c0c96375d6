"""Levels, movements and the release audit: load, decide, commit."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from tillflow.contexts.stock import allocation, closing, placement, rules, shards, shifting, store
from tillflow.contexts.stock.events import units_by_sku
from tillflow.contexts.stock.models import (
    CreateStockEvent,
    EventType,
    ReleaseExportQuery,
    ReleasePageQuery,
    ReleaseQuery,
    StockEventLine,
)
from tillflow.contexts.stock.reservations import reservation_id_of
from tillflow.contexts.stock.rules import AlreadyExists, Level, Line, Variant, VariantNotFound, Warehouse
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import again
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import Once, Reply
from tillflow.values import clock, ids

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


def record(wanted: CreateStockEvent, cause: Cause, once: Once) -> Reply:
    """
    Record one movement of stock in the ledger and return it (201).

    Raises:
        WarehouseNotFound, VariantNotFound: it names what is not there.
        WarehouseForbidden: the caller is a seller who is not authorised there.
        InvalidStockEvent, InsufficientStock: the movement breaks a rule, or would take more than is available.
    """

    def command() -> Reply:
        commit = Commit(cause)
        warehouse = store.find_warehouse(str(wanted.warehouseId))
        rules.check_access(warehouse, cause.user_id, cause.roles)
        variants = find_variants(wanted.lines)
        reply = Reply(201, add_movement(commit, ids.new(), wanted, warehouse, variants, cause))
        once.remember(commit, cause, reply)
        commit.write()
        if wanted.type is not EventType.OUTBOUND:
            closing.follow(warehouse, wanted.lines, cause)
            shifting.even_out_later(variants, warehouse.warehouse_id, cause)
        return reply

    return once.run(lambda: again(command, "Others move the same stock at this moment. Try again."))


def add_movement(
    commit: Commit,
    event_id: str,
    wanted: CreateStockEvent,
    warehouse: Warehouse,
    variants: Sequence[Variant],
    cause: Cause,
    *,
    room: int = rules.MOST_MOVED,
    **shared: str,
) -> dict[str, Any]:
    """
    Let *commit* record a movement of *variants* (one a line), and return it as the contract shows it.

    *shared* are fields that it has in common with others; shards may fill the commit up to *room*.

    Raises:
        InvalidStockEvent: it breaks a rule.
        InsufficientStock: it would take more than is available. (Writing the commit raises that too.)
        Moved: units were shifted meanwhile.
    """
    if not warehouse.active:
        raise rules.InvalidStockEvent(f"The warehouse {warehouse.code} is not active.")
    rules.check_movement(wanted.type, wanted.reasonCode, variants, cause.at)
    rules.check_moment(wanted.occurredAt or cause.at, cause.at)
    lines = [
        Line(variant.variant_id, variant.sku, warehouse.warehouse_id, rules.signed_quantity(wanted.type, line.quantity))
        for variant, line in zip(variants, wanted.lines, strict=True)
    ]
    event = _present(event_id, wanted, warehouse, lines, cause) | shared
    moves = placement.spread(lines, variants, cause, _insufficient, room)
    store.add_event(commit, event_id, _stored(event), [line for line, _ in moves], lambda _: AlreadyExists())
    for line, otherwise in moves:
        store.move(commit, line, otherwise)
    return event


def _insufficient(line: Line, available: int) -> rules.InsufficientStock:
    return rules.InsufficientStock(f"{-line.quantity} units of {line.sku} are to go, {available} are available.")


def find_variants(lines: Sequence[StockEventLine]) -> list[Variant]:
    """
    Return the variant of each line, in one request.

    Raises:
        VariantNotFound: a line names one that is not there.
    """
    variant_ids = [str(line.variantId) for line in lines]
    found = {variant.variant_id: variant for variant in store.find_variants(variant_ids)}
    for variant_id in variant_ids:
        if variant_id not in found:
            raise VariantNotFound(f"There is no variant with the id {variant_id}.")
    return [found[variant_id] for variant_id in variant_ids]


def _present(event_id: str, wanted: CreateStockEvent, warehouse: Warehouse, lines: list[Line], cause: Cause) -> dict[str, Any]:
    """Return the movement as the contract shows it (stock-events.md)."""
    return {
        "id": event_id,
        "type": wanted.type.value,
        "warehouseId": warehouse.warehouse_id,
        "warehouseCode": warehouse.code,
        "occurredAt": clock.iso(wanted.occurredAt or cause.at),
        "reasonCode": wanted.reasonCode.value if wanted.reasonCode else None,
        "notes": wanted.notes,
        "createdById": cause.user_id,
        "createdByUsername": cause.user_id,
        "createdAt": clock.iso(cause.at),
        "lines": [
            {
                "id": ids.derived("line", f"{event_id}:{line.variant_id}"),
                "variantId": line.variant_id,
                "variantSku": line.sku,
                "quantity": line.quantity,
            }
            for line in lines
        ],
    }


def _stored(event: dict[str, Any]) -> Item:
    return {
        "type": event["type"],
        "status": rules.POSTED,
        "reason_code": event["reasonCode"],
        "warehouse_code": event["warehouseCode"],
        "notes": event["notes"],
        "occurred_at": event["occurredAt"],
        "created_at": event["createdAt"],
        "created_by": event["createdById"],
        "transfer_id": event.get("transferId"),
    }


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
