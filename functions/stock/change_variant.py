"""PATCH /api/v1/variants/{id}: change some of a variant's fields, or deactivate it."""

from tillflow.contexts.stock import browse, catalog
from tillflow.contexts.stock.answers import Variant
from tillflow.contexts.stock.models import VariantFields
from tillflow.contexts.stock.rules import VariantNotFound
from tillflow.errors import Stale
from tillflow.web.http import Api, Versioned
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "PATCH /api/v1/variants/{id}",
    patch=VariantFields,
    answers={200: Variant},
    versioned=True,
    refuses=[VariantNotFound, Stale],
)
def change_variant(request: Request) -> Versioned:
    """
    Answer the variant with a JSON Merge Patch (RFC 7396) applied to it.

    Send the ETag that it was read with as `If-Match`, and it is changed only if nobody else has changed it since.
    """
    patch = request.patch(VariantFields)
    found = catalog.change_variant(request.path["id"], patch, request.check_version, request.cause())
    return Versioned(browse.present_variant(found), found.version)


handler = api.handler
