"""POST /api/v1/stock-events: record one movement of stock."""

from tillflow.http import Api, BadRequest, Request
from tillflow.idempotency import Idempotency, KeyConflict, Reply
from tillflow.stock import service
from tillflow.stock.models import CreateStockEvent

api = Api(invalid=BadRequest)


@api.route("POST /api/v1/stock-events")
def create_stock_event(request: Request) -> Reply:
    """Answer 201 and the event with its signed quantities."""
    wanted = request.body(CreateStockEvent)
    key = request.idempotency_key(required=False)
    caller = request.caller.user_id
    once = Idempotency("create_stock_event", caller, key, request.json(), reused=KeyConflict) if key else None
    return service.record(wanted, request.cause(), once)


handler = api.handler
