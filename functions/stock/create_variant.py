"""POST /api/v1/variants: create something to be stocked and sold."""

from tillflow.contexts.stock import catalog
from tillflow.contexts.stock.answers import Existing, Variant
from tillflow.contexts.stock.models import CreateVariant
from tillflow.contexts.stock.rules import AlreadyExists
from tillflow.storage.idempotency import KeyConflict, Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

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
    return catalog.create_variant(request.body(CreateVariant), request.cause(), once)


handler = api.handler
