"""GET /api/v1/warehouses/{id}/levels: what a warehouse has, page by page."""

from typing import Any

from tillflow.contexts.orders import service as orders
from tillflow.contexts.stock import browse
from tillflow.contexts.stock.answers import WarehouseLevelPage
from tillflow.contexts.stock.models import LevelQuery
from tillflow.contexts.stock.rules import WarehouseNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/warehouses/{id}/levels", query=LevelQuery, answers={200: WarehouseLevelPage}, refuses=[WarehouseNotFound])
def list_warehouse_levels(request: Request) -> dict[str, Any]:
    """Answer a page of the variants that the warehouse has ever had, by SKU, with their units. It may be a moment old."""
    return browse.level_page(request.path["id"], request.query(LevelQuery), orders.unsettled(), request.cause())


handler = api.handler
