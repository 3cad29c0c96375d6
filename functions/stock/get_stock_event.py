"""GET /api/v1/stock-events/{id}: one movement of stock."""

from typing import Any

from tillflow.contexts.stock import movements
from tillflow.contexts.stock.answers import StockEvent
from tillflow.contexts.stock.rules import StockEventNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/stock-events/{id}", answers={200: StockEvent}, refuses=[StockEventNotFound])
def get_stock_event(request: Request) -> dict[str, Any]:
    """Answer the event with its lines."""
    return movements.find(request.path["id"], request.caller.user_id, request.caller.roles)


handler = api.handler
