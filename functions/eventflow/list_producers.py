"""GET /api/v1/producers: the producers of events, page by page."""

from typing import Any

from tillflow.contexts.eventflow import producers
from tillflow.contexts.eventflow.answers import ProducerPage
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.web.http import Api
from tillflow.web.paging import InvalidPlace
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/producers", query=ListQuery, answers={200: ProducerPage}, refuses=[InvalidPlace])
def list_producers(request: Request) -> dict[str, Any]:
    """Answer a page of producers, newest first. A new one may take a moment to appear."""
    return producers.page(request.query(ListQuery))


handler = api.handler
