"""POST /api/v1/stock-events: record one movement of stock."""

from tillflow.http import Api
from tillflow.idempotency import KeyConflict, Reply
from tillflow.request import BadRequest, Request
from tillflow.stock import rules, service
from tillflow.stock.answers import StockEvent
from tillflow.stock.models import CreateStockEvent

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/stock-events",
    body=CreateStockEvent,
    key="optional",
    answers={201: StockEvent},
    refuses=[
        rules.InvalidStockEvent,
        rules.InsufficientStock,
        rules.WarehouseForbidden,
        rules.WarehouseNotFound,
        rules.VariantNotFound,
        KeyConflict,
    ],
)
def create_stock_event(request: Request) -> Reply:
    """Answer 201 and the event with its signed quantities."""
    once = request.idempotency("create_stock_event", reused=KeyConflict)
    return service.record(request.body(CreateStockEvent), request.cause(), once)


handler = api.handler
