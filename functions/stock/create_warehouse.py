"""POST /api/v1/warehouses: create a place that holds stock."""

from tillflow.contexts.stock import catalog
from tillflow.contexts.stock.answers import Existing, Warehouse
from tillflow.contexts.stock.models import CreateWarehouse
from tillflow.contexts.stock.rules import AlreadyExists
from tillflow.storage.idempotency import KeyConflict, Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/warehouses",
    body=CreateWarehouse,
    key="optional",
    answers={201: Warehouse, 409: Existing},
    refuses=[AlreadyExists, KeyConflict],
)
def create_warehouse(request: Request) -> Reply:
    """Answer 201 and what was created."""
    once = request.idempotency("create_warehouse", reused=KeyConflict)
    return catalog.create_warehouse(request.body(CreateWarehouse), request.cause(), once)


handler = api.handler
