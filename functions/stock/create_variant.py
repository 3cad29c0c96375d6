"""POST /api/v1/variants: create something to be stocked and sold."""

from tillflow.http import Api
from tillflow.idempotency import KeyConflict, Reply
from tillflow.request import BadRequest, Request
from tillflow.stock import service
from tillflow.stock.answers import Existing, Variant
from tillflow.stock.models import CreateVariant
from tillflow.stock.rules import AlreadyExists

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/variants",
    body=CreateVariant,
    key="optional",
    answers={201: Variant, 409: Existing},
    refuses=[AlreadyExists, KeyConflict],
)
def create_variant(request: Request) -> Reply:
    """Answer 201 and what was created."""
    once = request.idempotency("create_variant", reused=KeyConflict)
    return service.create_variant(request.body(CreateVariant), request.cause(), once)


handler = api.handler
