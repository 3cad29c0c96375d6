"""POST /api/v1/warehouses: create a place that holds stock."""

from tillflow.http import Api, BadRequest, Request
from tillflow.idempotency import Reply
from tillflow.stock import service
from tillflow.stock.models import CreateWarehouse

api = Api(invalid=BadRequest)


@api.route("POST /api/v1/warehouses")
def create_warehouse(request: Request) -> Reply:
    """Answer 201 and what was created."""
    return Reply(201, service.create_warehouse(request.body(CreateWarehouse), request.cause()))


handler = api.handler
