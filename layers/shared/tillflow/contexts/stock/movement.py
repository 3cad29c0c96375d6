"""
A movement: what a stock event did in one warehouse, as the contract shows it (stock-events.md). No I/O.

A sale is one too: a reservation that is posted, or was until its units were returned (the return is a stock event of its
own). What is held, refused or released moved nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tillflow.contexts.stock import store, tables
from tillflow.contexts.stock.models import EventType
from tillflow.contexts.stock.rules import POSTED, RETURNED, Line
from tillflow.storage.attributes import Item
from tillflow.values import ids

_MOVED = (POSTED, RETURNED)


@dataclass(frozen=True, slots=True)
class Movement:
    """The *lines* (one a variant, signed) of the stock event *event_id* in one warehouse."""

    movement_id: str
    event_id: str
    kind: str
    reason: str | None
    warehouse_id: str
    lines: Sequence[Line]
    occurred_at: str
    created_at: str
    created_by: str
    created_by_name: str
    notes: str | None
    is_sale: bool
    warehouse_code: str | None  # where it was recorded; else it is looked up when it is shown
    transfer_id: str | None

    @property
    def was_recorded(self) -> bool:
        """Tell whether somebody recorded it, as opposed to an order's saga: it was committed with a recent entry."""
        return self.warehouse_code is not None

    @property
    def is_part(self) -> bool:
        """Tell whether its stock event is of several warehouses."""
        return self.movement_id != self.event_id

    @property
    def arrivals(self) -> Sequence[Line]:
        """Return the lines that somebody recorded as coming in: only those may be of levels that are new."""
        return [line for line in self.lines if line.quantity > 0] if self.was_recorded else []

    def moment(self, order: str) -> str:
        """Return the moment that it is sorted by in an *order*: `createdAt`, or any other."""
        return self.created_at if order == "createdAt" else self.occurred_at


def movements_of(event: Item) -> list[Movement]:
    """Return what a stored stock event or reservation moved: nothing, or a movement in each of its warehouses."""
    if event["status"] not in _MOVED:
        return []
    event_id, lines = tables.id_of(event), store.lines_of(event)
    warehouses = list(dict.fromkeys(line.warehouse_id for line in lines))
    return [_movement(event_id, event, warehouse_id, lines, whole=len(warehouses) == 1) for warehouse_id in warehouses]


def _movement(event_id: str, event: Item, warehouse_id: str, lines: Sequence[Line], *, whole: bool) -> Movement:
    is_sale = "order_id" in event and event["type"] == EventType.OUTBOUND
    # An order's units leave when it is confirmed.
    occurred_at = str(event["posted_at"] if is_sale else event["occurred_at"])
    return Movement(
        movement_id=event_id if whole else ids.derived("movement", f"{event_id}:{warehouse_id}"),
        event_id=event_id,
        kind=event["type"],
        reason=event.get("reason_code"),
        warehouse_id=warehouse_id,
        lines=_by_variant(line for line in lines if line.warehouse_id == warehouse_id),
        occurred_at=occurred_at,
        created_at=event.get("created_at") or occurred_at,
        created_by=event["created_by"],
        created_by_name=event.get("created_by_name") or event["created_by"],  # a service has no name, nor has a sale
        notes=event.get("notes"),
        is_sale=is_sale,
        warehouse_code=event.get("warehouse_code"),
        transfer_id=event.get("transfer_id"),
    )


def _by_variant(lines: Iterable[Line]) -> list[Line]:
    """Return a line for each variant, in their order: how its units were counted (by shard, say) is not told."""
    summed: dict[str, Line] = {}
    for line in lines:
        before = summed.get(line.variant_id)
        summed[line.variant_id] = replace(line, quantity=line.quantity + (before.quantity if before else 0))
    return list(summed.values())


def present(movement: Movement, warehouse_code: str) -> dict[str, Any]:
    """Return the movement as the contract shows it."""
    return {
        "id": movement.movement_id,
        "type": movement.kind,
        "warehouseId": movement.warehouse_id,
        "warehouseCode": warehouse_code,
        "occurredAt": movement.occurred_at,
        "reasonCode": movement.reason,
        "notes": movement.notes,
        "createdById": movement.created_by,
        "createdByUsername": movement.created_by_name,
        "createdAt": movement.created_at,
        "lines": [
            {
                "id": ids.derived("line", f"{movement.movement_id}:{line.variant_id}"),
                "variantId": line.variant_id,
                "variantSku": line.sku,
                "quantity": line.quantity,
            }
            for line in movement.lines
        ],
        **({"transferId": movement.transfer_id} if movement.transfer_id else {}),
    }
