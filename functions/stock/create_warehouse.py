"""POST /api/v1/warehouses: create a place that holds stock."""

from tillflow.http import Api
from tillflow.idempotency import Reply
from tillflow.request import BadRequest, Request
from tillflow.stock import service
from tillflow.stock.answers import Warehouse
from tillflow.stock.models import CreateWarehouse
from tillflow.stock.rules import AlreadyExists

api = Api(invalid=BadRequest)


@api.route("POST /api/v1/warehouses", body=CreateWarehouse, answers={201: Warehouse}, refuses=[AlreadyExists])
def create_warehouse(request: Request) -> Reply:
    """Answer 201 and what was created."""
    return Reply(201, service.create_warehouse(request.body(CreateWarehouse), request.cause()))


handler = api.handler
