"""GET /api/v1/stock-events: the movements of stock, page by page."""

from typing import Any

from tillflow.contexts.stock import movements
from tillflow.contexts.stock.answers import StockEventPage
from tillflow.contexts.stock.models import StockEventPageQuery
from tillflow.contexts.stock.rules import InvalidQuestion, WarehouseForbidden
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "GET /api/v1/stock-events",
    query=StockEventPageQuery,
    answers={200: StockEventPage},
    refuses=[InvalidQuestion, WarehouseForbidden],
)
def list_stock_events(request: Request) -> dict[str, Any]:
    """Answer a page of stock events. A sale may take a moment to appear; what was recorded does not."""
    query = request.query(StockEventPageQuery)
    movements.check_list(query, request.caller.user_id, request.caller.roles)
    return movements.page(query)


handler = api.handler
