"""POST /api/orders: turn a signed cart snapshot into an order."""

from tillflow.http import Api, Request
from tillflow.idempotency import Reply
from tillflow.orders import service
from tillflow.orders.models import CreateOrder

api = Api()


@api.route("POST /api/orders", "POST /orders")
def create_order(request: Request) -> Reply:
    """Answer 201 `{"orderId"}`, or 200 with the replay header when the key has been answered."""
    once = request.required_idempotency("create_order")
    wanted = request.body(CreateOrder)
    reply = service.create(wanted.cartSnapshot, wanted.paymentToken, request.cause(), once)
    return Reply(200, reply.body, replayed=True) if reply.replayed else reply


handler = api.handler
