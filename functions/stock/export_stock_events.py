"""GET /api/v1/stock-events/export: the movements of stock as CSV, one row per line."""

from tillflow.contexts.stock import movements
from tillflow.contexts.stock.models import StockEventExportQuery
from tillflow.contexts.stock.rules import InvalidQuestion, WarehouseForbidden
from tillflow.web.http import Api, Download, csv_download
from tillflow.web.request import BadRequest, Request

_OF_EVENT = (
    "id",
    "type",
    "warehouseId",
    "warehouseCode",
    "occurredAt",
    "reasonCode",
    "notes",
    "createdById",
    "createdByUsername",
    "createdAt",
)
_OF_LINE = ("variantId", "variantSku", "quantity")

api = Api(invalid=BadRequest)


@api.route(
    "GET /api/v1/stock-events/export",
    query=StockEventExportQuery,
    answers={200: "text/csv"},
    refuses=[InvalidQuestion, WarehouseForbidden],
)
def export_stock_events(request: Request) -> Download:
    """Answer `stock-events.csv`."""
    query = request.query(StockEventExportQuery)
    movements.check_list(query, request.caller.user_id, request.caller.roles)
    lines = (event | line | {"id": event["id"]} for event in movements.export(query) for line in event["lines"])
    return csv_download("stock-events.csv", (*_OF_EVENT, *_OF_LINE), lines)


handler = api.handler
