"""Transfers: what leaves one warehouse comes into another, in one commit."""

from typing import Any
from uuid import UUID

from tillflow.contexts.stock import closing, recording, rules, shifting, store
from tillflow.contexts.stock.models import CreateStockEvent, CreateTransfer, EventType, ReasonCode
from tillflow.contexts.stock.rules import Warehouse
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import again
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import Once, Reply
from tillflow.values import ids

# The lines that a half has room for, beside two events, their entries in a list and a key (DynamoDB: 100 actions).
_ROOM = 47


def transfer(wanted: CreateTransfer, cause: Cause, once: Once) -> Reply:
    """
    Move the lines from one warehouse to another, and return the two movements (201): both, or neither.

    Raises:
        WarehouseNotFound, VariantNotFound: it names what is not there.
        WarehouseForbidden: the caller is a seller who is not authorised in both warehouses.
        InvalidStockEvent, InsufficientStock: it breaks a rule, or would take more than is available.
    """

    def command() -> Reply:
        ends = [store.find_warehouse(str(each)) for each in (wanted.fromWarehouseId, wanted.toWarehouseId)]
        for warehouse in ends:
            rules.check_access(warehouse, cause.user_id, cause.roles)
        variants = recording.find_variants(wanted.lines)
        transfer_id = ids.new()
        commit = Commit(cause)

        def half(kind: EventType, end: Warehouse) -> dict[str, Any]:
            event_id, movement = _id_of_half(kind, transfer_id), _half(wanted, kind, end)
            return recording.add_movement(commit, event_id, movement, end, variants, cause, room=_ROOM, transfer_id=transfer_id)

        outbound, inbound = half(EventType.OUTBOUND, ends[0]), half(EventType.INBOUND, ends[1])
        reply = Reply(201, _present(transfer_id, outbound, inbound), rebuilt_from=transfer_id)
        once.remember(commit, cause, reply)
        commit.write()
        closing.follow(ends[1], wanted.lines, cause)
        shifting.even_out_later(variants, ends[1].warehouse_id, cause, room=_ROOM)
        return reply

    return once.run(lambda: again(command, "Others move the same stock at this moment. Try again."), rebuild=_recorded)


def _recorded(transfer_id: str) -> dict[str, Any]:
    outbound, inbound = (recording.recorded(_id_of_half(kind, transfer_id)) for kind in (EventType.OUTBOUND, EventType.INBOUND))
    return _present(transfer_id, outbound, inbound)


def _present(transfer_id: str, outbound: dict[str, Any], inbound: dict[str, Any]) -> dict[str, Any]:
    return {"transferId": transfer_id, "outbound": outbound, "inbound": inbound}


def _id_of_half(kind: EventType, transfer_id: str) -> str:
    return ids.derived(f"transfer {kind}", transfer_id)


def _half(wanted: CreateTransfer, kind: EventType, warehouse: Warehouse) -> CreateStockEvent:
    return CreateStockEvent.model_construct(
        type=kind,
        warehouseId=UUID(warehouse.warehouse_id),
        occurredAt=wanted.occurredAt,
        reasonCode=ReasonCode.OTHER,
        notes=wanted.notes,
        lines=wanted.lines,
    )
