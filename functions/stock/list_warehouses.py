"""GET /api/v1/warehouses: the warehouses, page by page."""

from typing import Any

from tillflow.contexts.stock import browse
from tillflow.contexts.stock.answers import WarehousePage
from tillflow.contexts.stock.models import WarehouseQuery
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/warehouses", query=WarehouseQuery, answers={200: WarehousePage})
def list_warehouses(request: Request) -> dict[str, Any]:
    """Answer a page of warehouses by code; a seller sees those that name them. A new one may take a moment to appear."""
    return browse.warehouse_page(request.query(WarehouseQuery), request.cause())


handler = api.handler
