"""GET /api/v1/consumers: the consumers of events, page by page."""

from typing import Any

from tillflow.contexts.eventflow import consumers
from tillflow.contexts.eventflow.consumeranswers import ConsumerPage
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.web.http import Api
from tillflow.web.paging import InvalidPlace
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/consumers", query=ListQuery, answers={200: ConsumerPage}, refuses=[InvalidPlace])
def list_consumers(request: Request) -> dict[str, Any]:
    """Answer a page of consumers, in the order of their ids."""
    return consumers.page(request.query(ListQuery))


handler = api.handler
