"""GET /api/v1/variants/{id}: one variant, with its ETag."""

from tillflow.contexts.stock import browse
from tillflow.contexts.stock.answers import Variant
from tillflow.contexts.stock.rules import VariantNotFound
from tillflow.web.http import Api, Versioned
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/variants/{id}", answers={200: Variant}, versioned=True, refuses=[VariantNotFound])
def get_variant(request: Request) -> Versioned:
    """Answer the variant."""
    found = browse.variant(request.path["id"])
    return Versioned(browse.present_variant(found), found.version)


handler = api.handler
