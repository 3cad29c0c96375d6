"""Warehouses, variants, movements and the release audit: load, decide, commit."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from tillflow.contexts.stock import rules, store
from tillflow.contexts.stock.events import units_by_sku
from tillflow.contexts.stock.models import (
    CreateStockEvent,
    CreateVariant,
    CreateWarehouse,
    ReleaseExportQuery,
    ReleasePageQuery,
    ReleaseQuery,
)
from tillflow.contexts.stock.reservations import reservation_id_of, variant_id_of
from tillflow.contexts.stock.rules import AlreadyExists, Line, Variant, VariantNotFound, Warehouse
from tillflow.messaging.envelope import Cause
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import Once, Reply
from tillflow.values import clock, ids


def create_warehouse(wanted: CreateWarehouse, cause: Cause, once: Once) -> Reply:
    """
    Create a warehouse and return it (201).

    Raises:
        AlreadyExists: the code is taken.
    """
    warehouse_id = ids.derived("warehouse", wanted.code)
    warehouse = Warehouse(warehouse_id, wanted.code, wanted.name, active=True, seller_ids=tuple(wanted.sellerIds))
    taken = AlreadyExists(f"There is a warehouse with the code {wanted.code}.", id=warehouse_id)
    reply = Reply(201, wanted.model_dump() | {"id": warehouse_id, "active": True})
    return _create(lambda commit: store.add_warehouse(commit, warehouse, lambda: taken), reply, cause, once)


def create_variant(wanted: CreateVariant, cause: Cause, once: Once) -> Reply:
    """
    Create a variant and return it (201).

    Raises:
        AlreadyExists: the SKU is taken.
    """
    variant = Variant(variant_id_of(wanted.sku), wanted.sku, wanted.name, wanted.active, wanted.expiresAt)
    taken = AlreadyExists(f"There is a variant with the SKU {wanted.sku}.", id=variant.variant_id)
    expires_at = clock.iso(wanted.expiresAt) if wanted.expiresAt else None
    reply = Reply(201, wanted.model_dump() | {"id": variant.variant_id, "expiresAt": expires_at})
    return _create(lambda commit: store.add_variant(commit, variant, lambda: taken), reply, cause, once)


def _create(add: Callable[[Commit], None], reply: Reply, cause: Cause, once: Once) -> Reply:
    """Write what *add* adds to a commit, and answer *reply*."""

    def command() -> Reply:
        commit = Commit(cause)
        add(commit)
        once.remember(commit, cause, reply)
        commit.write()
        return reply

    return once.run(command)


def levels(variant_id: str, open_orders: Iterable[str]) -> dict[str, Any]:
    """
    Return a variant's level in every warehouse that has had it.

    `available` is exact. `reserved` is what the reservations of *open_orders* (their ids) hold, and `onHand` the two
    together: no write ever waits for these numbers, so while orders are under way they may be a moment old.

    Raises:
        VariantNotFound: there is no such variant.
    """
    have = store.find_variant(variant_id)
    if have is None:
        raise VariantNotFound("There is no variant with this id.")
    held = _held_by_warehouse(variant_id, open_orders)
    return {
        "items": [
            {
                "warehouseId": level.warehouse_id,
                "onHand": level.available + held[level.warehouse_id],
                "reserved": held[level.warehouse_id],
                "available": level.available,
            }
            for level in have.levels
        ]
    }


def _held_by_warehouse(variant_id: str, open_orders: Iterable[str]) -> Counter[str]:
    held: Counter[str] = Counter()
    for reservation in store.find_events([reservation_id_of(order_id) for order_id in open_orders]):
        if reservation["status"] == rules.PENDING:
            for line in rules.opposite(store.lines_of(reservation)):
                held[line.warehouse_id] += line.quantity if line.variant_id == variant_id else 0
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
        warehouse = store.find_warehouse(str(wanted.warehouseId))
        rules.check_access(warehouse, cause.user_id, cause.roles)
        if not warehouse.active:
            raise rules.InvalidStockEvent("The warehouse is not active.")
        variants = [_variant(str(line.variantId)) for line in wanted.lines]
        rules.check_movement(wanted.type, wanted.reasonCode, variants, cause.at)
        rules.check_moment(wanted.occurredAt or cause.at, cause.at)
        lines = [
            Line(variant.variant_id, variant.sku, warehouse.warehouse_id, rules.signed_quantity(wanted.type, line.quantity))
            for variant, line in zip(variants, wanted.lines, strict=True)
        ]
        event = _present(ids.new(), wanted, warehouse, lines, cause)
        reply = Reply(201, event)
        commit = Commit(cause)
        store.add_event(commit, event["id"], _stored(event), lines, lambda _: AlreadyExists())
        for line in lines:
            store.move(commit, line, partial(_insufficient, line))
        once.remember(commit, cause, reply)
        commit.write()
        return reply

    return once.run(command)


def _insufficient(line: Line, available: int) -> rules.InsufficientStock:
    return rules.InsufficientStock(f"{-line.quantity} units of {line.sku} are to go, {available} are available.")


def _variant(variant_id: str) -> Variant:
    have = store.find_variant(variant_id)
    if have is None:
        raise VariantNotFound(f"There is no variant with the id {variant_id}.")
    return have.variant


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
