"""Movements of stock that somebody records: decide, commit."""

from collections.abc import Sequence
from typing import Any

from tillflow.contexts.stock import closing, placement, rules, shifting, store, tables
from tillflow.contexts.stock.entries import recent_entry
from tillflow.contexts.stock.models import CreateStockEvent, EventType, StockEventLine
from tillflow.contexts.stock.movement import movements_of, present
from tillflow.contexts.stock.rules import AlreadyExists, Line, Variant, VariantNotFound, Warehouse
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import again
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, always
from tillflow.storage.idempotency import Once, Reply
from tillflow.values import clock, ids


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
        variants, event_id = find_variants(wanted.lines), ids.new()
        event = add_movement(commit, event_id, wanted, warehouse, variants, cause)
        reply = Reply(201, event, rebuilt_from=event_id)
        once.remember(commit, cause, reply)
        commit.write()
        if wanted.type is not EventType.OUTBOUND:
            closing.follow(warehouse, wanted.lines, cause)
            shifting.even_out_later(variants, warehouse.warehouse_id, cause)
        return reply

    return once.run(lambda: again(command, "Others move the same stock at this moment. Try again."), rebuild=recorded)


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

    *shared* are attributes that it has in common with others; shards may fill the commit up to *room*.

    Raises:
        InvalidStockEvent: it breaks a rule.
        InsufficientStock: it would take more than is available. (Writing the commit raises that too.)
        Moved: units were shifted meanwhile.
    """
    lines = decide(wanted, warehouse, variants, cause)
    moves = placement.spread(lines, variants, cause, _insufficient, room)
    event = store.event_item(event_id, _stored(wanted, warehouse, cause) | shared, [line for line, *_ in moves])
    (movement,) = movements_of(event)
    store.add_event(commit, event, lambda _: AlreadyExists())
    commit.put(tables.movements(), recent_entry(movement), when=always(), otherwise=lambda _: AlreadyExists())
    for line, otherwise, point in moves:
        store.move(commit, line, otherwise, reorder_point=point)
    return present(movement, warehouse.code)


def decide(wanted: CreateStockEvent, warehouse: Warehouse, variants: Sequence[Variant], cause: Cause) -> list[Line]:
    """
    Return what the ledger says of a movement of *variants* (one a line).

    Raises:
        InvalidStockEvent: it breaks a rule.
    """
    if not warehouse.active:
        raise rules.InvalidStockEvent(f"The warehouse {warehouse.code} is not active.")
    rules.check_movement(wanted.type, wanted.reasonCode, variants, cause.at)
    rules.check_moment(wanted.occurredAt or cause.at, cause.at)
    return [
        Line(variant.variant_id, variant.sku, warehouse.warehouse_id, rules.signed_quantity(wanted.type, line.quantity))
        for variant, line in zip(variants, wanted.lines, strict=True)
    ]


def recorded(event_id: str) -> dict[str, Any]:
    """Return a movement as it was answered when it was recorded."""
    event = store.find_event(event_id) or {}
    (movement,) = movements_of(event)
    return present(movement, event["warehouse_code"])


def _insufficient(line: Line, available: int) -> rules.InsufficientStock:
    return insufficient(line.sku, -line.quantity, available)


def insufficient(sku: str, wanted: int, available: int) -> rules.InsufficientStock:
    """Return the refusal of a movement that would take more than there is."""
    return rules.InsufficientStock(f"{wanted} units of {sku} are to go, {available} are available.")


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


def _stored(wanted: CreateStockEvent, warehouse: Warehouse, cause: Cause) -> Item:
    return {
        "type": wanted.type.value,
        "status": rules.POSTED,
        "reason_code": wanted.reasonCode.value if wanted.reasonCode else None,
        "warehouse_code": warehouse.code,
        "notes": wanted.notes,
        "occurred_at": clock.iso(wanted.occurredAt or cause.at),
        "created_at": clock.iso(cause.at),
        "created_by": cause.user_id,
        "created_by_name": cause.name,
    }
