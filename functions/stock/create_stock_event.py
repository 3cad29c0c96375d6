"""POST /api/v1/stock-events: record one movement of stock."""

from tillflow.http import Api, BadRequest, Request
from tillflow.idempotency import KeyConflict, Reply
from tillflow.stock import service
from tillflow.stock.models import CreateStockEvent

api = Api(invalid=BadRequest)


@api.route("POST /api/v1/stock-events")
def create_stock_event(request: Request) -> Reply:
    """Answer 201 and the event with its signed quantities."""
    once = request.idempotency("create_stock_event", reused=KeyConflict)
    return service.record(request.body(CreateStockEvent), request.cause(), once)


handler = api.handler
