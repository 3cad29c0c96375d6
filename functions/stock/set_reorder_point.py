"""PUT /api/v1/warehouses/{id}/levels/{variantId}/reorder-point: have it told when a level falls through a threshold."""

from typing import Any

from tillflow.contexts.stock import reorder
from tillflow.contexts.stock.answers import ReorderPoint
from tillflow.contexts.stock.models import SetReorderPoint
from tillflow.contexts.stock.rules import LevelNotFound, WarehouseNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "PUT /api/v1/warehouses/{id}/levels/{variantId}/reorder-point",
    body=SetReorderPoint,
    answers={200: ReorderPoint},
    refuses=[WarehouseNotFound, LevelNotFound],
)
def set_reorder_point(request: Request) -> dict[str, Any]:
    """
    Answer the level's threshold.

    When fewer than `quantity` become available, one `StockLevelLow` event tells of it, and none more until they have risen
    above. Where fewer are available already, that is `low` and no fall.
    """
    wanted = request.body(SetReorderPoint)
    return reorder.set_point(request.path["id"], request.path["variantId"], wanted.quantity, request.cause())


handler = api.handler
