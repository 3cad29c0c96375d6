"""GET /api/v1/variants: the variants, page by page."""

from typing import Any

from tillflow.contexts.stock import browse
from tillflow.contexts.stock.answers import VariantPage
from tillflow.contexts.stock.models import VariantQuery
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/variants", query=VariantQuery, answers={200: VariantPage})
def list_variants(request: Request) -> dict[str, Any]:
    """Answer a page of variants by SKU. A new one may take a moment to appear."""
    return browse.variant_page(request.query(VariantQuery))


handler = api.handler
