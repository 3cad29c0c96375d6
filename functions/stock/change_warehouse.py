"""PATCH /api/v1/warehouses/{id}: change some of a warehouse's fields, or deactivate it."""

from tillflow.contexts.stock import browse, catalog
from tillflow.contexts.stock.answers import Warehouse
from tillflow.contexts.stock.models import WarehouseFields
from tillflow.contexts.stock.rules import WarehouseNotFound
from tillflow.errors import Stale
from tillflow.web.http import Api, Versioned
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "PATCH /api/v1/warehouses/{id}",
    patch=WarehouseFields,
    answers={200: Warehouse},
    versioned=True,
    refuses=[WarehouseNotFound, Stale],
)
def change_warehouse(request: Request) -> Versioned:
    """
    Answer the warehouse with a JSON Merge Patch (RFC 7396) applied to it.

    Send the ETag that it was read with as `If-Match`, and it is changed only if nobody else has changed it since.
    """
    cause = request.cause()
    found = catalog.change_warehouse(request.path["id"], request.patch(WarehouseFields), request.check_version, cause)
    return Versioned(browse.present_warehouse(found, cause), found.version)


handler = api.handler
