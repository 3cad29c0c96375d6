"""DELETE /api/v1/warehouses/{id}/sellers/{userId}: let a seller move no more stock in a warehouse."""

from tillflow.contexts.stock import browse, catalog, rules
from tillflow.contexts.stock.answers import Warehouse
from tillflow.contexts.stock.models import Seller
from tillflow.errors import Stale
from tillflow.web.http import Api, Versioned
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "DELETE /api/v1/warehouses/{id}/sellers/{userId}",
    path=Seller,
    answers={200: Warehouse},
    versioned=True,
    refuses=[rules.WarehouseNotFound, Stale],
)
def remove_seller(request: Request) -> Versioned:
    """Answer the warehouse. Removing whom it does not name changes nothing."""
    cause, seller = request.cause(), request.named(Seller)
    found = catalog.remove_seller(request.path["id"], seller.userId, request.check_version, cause)
    return Versioned(browse.present_warehouse(found, cause), found.version)


handler = api.handler
