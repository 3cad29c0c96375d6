"""GET /api/v1/event-types: the event types that are registered."""

from typing import Any

from tillflow.contexts.eventflow import registering
from tillflow.contexts.eventflow.answers import EventTypePage
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.web.http import Api
from tillflow.web.paging import InvalidPlace
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/event-types", query=ListQuery, answers={200: EventTypePage}, refuses=[InvalidPlace])
def list_event_types(request: Request) -> dict[str, Any]:
    """Answer a page of types by name, each with its newest version; the product's own among them."""
    return registering.page(request.query(ListQuery))


handler = api.handler
