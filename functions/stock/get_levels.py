"""GET /api/v1/variants/{id}/levels: a variant's units in every warehouse that the caller may see."""

from typing import Any

from tillflow.contexts.orders import service as orders
from tillflow.contexts.stock import service
from tillflow.contexts.stock.answers import StockLevels
from tillflow.contexts.stock.rules import VariantNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/variants/{id}/levels", answers={200: StockLevels}, refuses=[VariantNotFound])
def get_levels(request: Request) -> dict[str, Any]:
    """Answer `{"items": [{"warehouseId", "onHand", "reserved", "available"}]}`."""
    return service.levels(request.path["id"], orders.unsettled(), request.caller.user_id, request.caller.roles)


handler = api.handler
