"""POST /api/v1/variants: create something to be stocked and sold."""

from tillflow.http import Api
from tillflow.idempotency import Reply
from tillflow.request import BadRequest, Request
from tillflow.stock import service
from tillflow.stock.answers import Variant
from tillflow.stock.models import CreateVariant
from tillflow.stock.rules import AlreadyExists

api = Api(invalid=BadRequest)


@api.route("POST /api/v1/variants", body=CreateVariant, answers={201: Variant}, refuses=[AlreadyExists])
def create_variant(request: Request) -> Reply:
    """Answer 201 and what was created."""
    return Reply(201, service.create_variant(request.body(CreateVariant), request.cause()))


handler = api.handler
