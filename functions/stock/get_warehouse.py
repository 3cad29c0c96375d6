"""GET /api/v1/warehouses/{id}: one warehouse, with its ETag."""

from tillflow.contexts.stock import browse
from tillflow.contexts.stock.answers import Warehouse
from tillflow.contexts.stock.rules import WarehouseNotFound
from tillflow.web.http import Api, Versioned
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/warehouses/{id}", answers={200: Warehouse}, versioned=True, refuses=[WarehouseNotFound])
def get_warehouse(request: Request) -> Versioned:
    """Answer the warehouse; a seller sees those that name them, and no other seller's id."""
    cause = request.cause()
    found = browse.warehouse(request.path["id"], cause)
    return Versioned(browse.present_warehouse(found, cause), found.version)


handler = api.handler
