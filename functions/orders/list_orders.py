"""GET /api/orders: a user's orders, newest first, page by page."""

from typing import Any

from tillflow.contexts.orders import listing
from tillflow.contexts.orders.answers import OrderPage
from tillflow.contexts.orders.models import OrdersQuery
from tillflow.errors import Forbidden
from tillflow.web.http import Api
from tillflow.web.paging import InvalidToken
from tillflow.web.request import Request

api = Api()


@api.route("GET /api/orders", "GET /orders", query=OrdersQuery, answers={200: OrderPage}, refuses=[Forbidden, InvalidToken])
def list_orders(request: Request) -> dict[str, Any]:
    """
    Answer `{"items", "next_token"}`.

    The caller's own orders; with the scope `orders:write` those of any user, who is named by `userId`. A new order is here
    a moment after it was placed.
    """
    wanted = request.query(OrdersQuery)
    return listing.page(wanted, _whose(request, wanted.userId))


def _whose(request: Request, user_id: str | None) -> str:
    caller = request.caller
    if caller.may("orders:write"):
        if user_id is None:
            # Nothing but a scan has the orders of all.
            raise request.invalid("Say whose orders: send userId (your own, for yours).")
        return user_id
    if user_id not in (None, caller.user_id):
        raise Forbidden("These orders belong to another user.")
    return caller.user_id


handler = api.handler
