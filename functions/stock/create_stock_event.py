"""POST /api/v1/stock-events: record one movement of stock."""

from tillflow.contexts.stock import recording, rules
from tillflow.contexts.stock.answers import StockEvent
from tillflow.contexts.stock.models import CreateStockEvent
from tillflow.storage.idempotency import KeyConflict, Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

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
    return recording.record(request.body(CreateStockEvent), request.cause(), once)


handler = api.handler
