"""POST /api/orders: turn a signed cart snapshot into an order."""

from tillflow.contexts.orders import service
from tillflow.contexts.orders.answers import AlreadyOrdered, PlacedOrder
from tillflow.contexts.orders.models import CreateOrder
from tillflow.contexts.orders.rules import InvalidSnapshot, NotYourSnapshot, SnapshotAlreadyOrdered
from tillflow.storage.idempotency import KeyReused, Reply
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route(
    "POST /api/orders",
    "POST /orders",
    body=CreateOrder,
    key="required",
    answers={201: PlacedOrder, 200: PlacedOrder, 409: AlreadyOrdered},
    refuses=[InvalidSnapshot, KeyReused, NotYourSnapshot, SnapshotAlreadyOrdered],
)
def create_order(request: Request) -> Reply:
    """Answer 201 `{"orderId"}`, or 200 with the replay header when the key has been answered."""
    once = request.required_idempotency("create_order")
    wanted = request.body(CreateOrder)
    reply = service.create(wanted.cartSnapshot, wanted.paymentToken, request.cause(), once)
    return Reply(200, reply.body, replayed=True) if reply.replayed else reply


handler = api.handler
