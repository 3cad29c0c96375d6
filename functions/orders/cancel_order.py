"""POST /api/orders/{orderId}/cancel: cancel a pending or confirmed order; refund and restock follow."""

from typing import Any

from tillflow.contexts.orders import rules, service
from tillflow.contexts.orders.answers import CanceledOrder, FinalizedOrder
from tillflow.contexts.orders.models import CancelOrder
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route(
    "POST /api/orders/{orderId}/cancel",
    "POST /orders/{orderId}/cancel",
    body=CancelOrder,
    answers={200: CanceledOrder, 409: FinalizedOrder},
    refuses=[rules.OrderNotFound, rules.OrderAlreadyFinalized],
)
def cancel_order(request: Request) -> dict[str, Any]:
    """Answer `{"status": "canceled", "order"}`."""
    wanted = request.body(CancelOrder)
    order = service.cancel(request.path["orderId"], wanted.reason, request.cause())
    return {"status": order.status, "order": rules.present(order)}


handler = api.handler
