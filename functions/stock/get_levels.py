"""GET /api/v1/variants/{id}/levels: a variant's units in every warehouse."""

from typing import Any

from tillflow.http import Api
from tillflow.orders import service as orders
from tillflow.request import BadRequest, Request
from tillflow.stock import service
from tillflow.stock.answers import StockLevels
from tillflow.stock.rules import VariantNotFound

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/variants/{id}/levels", answers={200: StockLevels}, refuses=[VariantNotFound])
def get_levels(request: Request) -> dict[str, Any]:
    """Answer `{"items": [{"warehouseId", "onHand", "reserved", "available"}]}`."""
    return service.levels(request.path["id"], orders.unsettled())


handler = api.handler
