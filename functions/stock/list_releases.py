"""GET /api/stocks/release-events: the release audit, page by page."""

from typing import Any

from tillflow.contexts.stock import service
from tillflow.contexts.stock.answers import ReleasePage
from tillflow.contexts.stock.models import ReleasePageQuery
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/stocks/release-events", query=ReleasePageQuery, answers={200: ReleasePage})
def list_releases(request: Request) -> dict[str, Any]:
    """Answer `{"content", "page", "size", "totalElements", "totalPages"}`, newest first."""
    return service.release_page(request.query(ReleasePageQuery))


handler = api.handler
