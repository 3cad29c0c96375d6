"""DELETE /api/v1/warehouses/{id}/levels/{variantId}/reorder-point: let a level have no threshold."""

from typing import Any

from tillflow.contexts.stock import reorder
from tillflow.contexts.stock.answers import ReorderPoint
from tillflow.contexts.stock.rules import LevelNotFound, WarehouseNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "DELETE /api/v1/warehouses/{id}/levels/{variantId}/reorder-point",
    answers={200: ReorderPoint},
    refuses=[WarehouseNotFound, LevelNotFound],
)
def clear_reorder_point(request: Request) -> dict[str, Any]:
    """Answer the level, which has none. Where it had none before, nothing changes."""
    return reorder.set_point(request.path["id"], request.path["variantId"], None, request.cause())


handler = api.handler
