"""GET /api/orders/{orderId}: one order, for its buyer and for operators."""

from typing import Any

from tillflow.contexts.orders import rules, service
from tillflow.contexts.orders.answers import Order
from tillflow.errors import Forbidden
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route(
    "GET /api/orders/{orderId}",
    "GET /orders/{orderId}",
    answers={200: Order},
    refuses=[Forbidden, rules.OrderNotFound],
)
def get_order(request: Request) -> dict[str, Any]:
    """Answer the order as the contract represents it."""
    order = service.find(request.path["orderId"])
    if order.user_id != request.caller.user_id and not request.caller.may("orders:write"):
        raise Forbidden("This order belongs to another user.")
    return rules.present(order)


handler = api.handler
