"""Saga step: fail the order, unless it is confirmed or canceled, and say whether there is something to undo."""

from tillflow.contexts.order_saga import service
from tillflow.contexts.order_saga.step import step
from tillflow.contexts.orders.service import Order
from tillflow.messaging.envelope import Cause


def fail_order(order: Order, cause: Cause) -> dict[str, bool]:
    """Return `{"undo"}` for the state machine's choice."""
    return {"undo": service.fail_order(order, cause)}


handler = step(fail_order, unknown={"undo": False})
