"""The events that orders cause (contracts: event-contracts.md, orders-service.md)."""

from tillflow.contexts.orders.rules import Order
from tillflow.messaging.envelope import Event
from tillflow.values import clock, ids
from tillflow.values.money import decimal_amount

SOURCE = "tillflow.orders"
ORDER_CREATED = "OrderCreated"
ORDER_PLACED = "orders.order_placed.v1"
ORDER_CANCELED = "orders.order_canceled.v1"
INVENTORY_RELEASE_REQUESTED = "InventoryReleaseRequested"


def order_created(order: Order) -> Event:
    """Return `OrderCreated`: a cart has become a pending order, and its saga starts."""
    items = [
        {
            "sku_id": line["skuId"],
            "quantity": line["quantity"],
            "price": decimal_amount(line["unitPriceCents"], order.currency),
        }
        for line in order.snapshot["items"]
    ]
    total = decimal_amount(order.total, order.currency)
    data = {"order_id": order.order_id, "user_id": order.user_id, "items": items, "total_amount": total}
    return Event(SOURCE, ORDER_CREATED, data)


def order_placed(order: Order) -> Event:
    """Return `orders.order_placed.v1`: a cart has become an order; this counts its lines, units and cents."""
    totals = order.snapshot["totals"]
    data = {
        "order_id": order.order_id,
        "user_id": order.user_id,
        "snapshot_id": ids.canonical(order.snapshot["snapshotId"]),
        "currency": order.currency,
        "item_count": totals["itemCount"],
        "total_quantity": totals["totalQuantity"],
        "subtotal_cents": totals["subtotalCents"],
    }
    return Event(SOURCE, ORDER_PLACED, data)


def order_canceled(order: Order) -> Event:
    """Return `orders.order_canceled.v1`: somebody canceled the order, and the saga undoes what it did."""
    data = {
        "order_id": order.order_id,
        "user_id": order.user_id,
        "reason": order.cancellation_reason,
        "canceled_at": clock.iso(order.canceled_at or order.updated_at),
    }
    return Event(SOURCE, ORDER_CANCELED, data)


def inventory_release_requested(order_id: str, reason: str) -> Event:
    """Return `InventoryReleaseRequested`: the order has failed, and whoever holds stock for it gives it back."""
    return Event(SOURCE, INVENTORY_RELEASE_REQUESTED, {"order_id": order_id, "reason": reason})
