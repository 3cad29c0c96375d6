"""The events that stock causes (contract: event-contracts.md)."""

from collections.abc import Sequence
from typing import Any

from tillflow.contexts.stock.rules import Level, Line
from tillflow.messaging.envelope import Event

SOURCE = "tillflow.stock"
INVENTORY_RESERVED = "InventoryReserved"
INVENTORY_FAILED = "InventoryFailed"
INVENTORY_RELEASED = "InventoryReleased"
STOCK_LEVEL_LOW = "StockLevelLow"


def units_by_sku(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return the units of the lines as `{"sku_id", "quantity"}`, one per SKU whatever warehouses they come from."""
    units: dict[str, int] = {}
    for line in lines:
        units[line.sku] = units.get(line.sku, 0) + abs(line.quantity)
    return [{"sku_id": sku, "quantity": quantity} for sku, quantity in units.items()]


def inventory_reserved(order_id: str, reservation_id: str, lines: Sequence[Line]) -> Event:
    """Return `InventoryReserved`: everything that the order wants is reserved."""
    data = {"order_id": order_id, "reservation_id": reservation_id, "reserved_items": units_by_sku(lines)}
    return Event(SOURCE, INVENTORY_RESERVED, data)


def inventory_failed(order_id: str, reason: str) -> Event:
    """Return `InventoryFailed`: not all that the order wants can be had, so nothing was reserved."""
    return Event(SOURCE, INVENTORY_FAILED, {"order_id": order_id, "reservation_id": None, "reason": reason})


def inventory_released(release_id: str, order_id: str, reservation_id: str, reason: str, lines: Sequence[Line]) -> Event:
    """Return `InventoryReleased`: what the order held is back on the shelf, or what it had bought."""
    data = {
        "release_id": release_id,
        "order_id": order_id,
        "reservation_id": reservation_id,
        "reason": reason,
        "released_items": units_by_sku(lines),
    }
    return Event(SOURCE, INVENTORY_RELEASED, data)


def stock_level_low(level: Level, sku: str) -> Event:
    """Return `StockLevelLow`: what is available of a variant in a warehouse has fallen through its reorder point."""
    data = {
        "variant_id": level.variant_id,
        "sku_id": sku,
        "warehouse_id": level.warehouse_id,
        "available": level.available,
        "reorder_point": level.reorder_point,
    }
    return Event(SOURCE, STOCK_LEVEL_LOW, data)
