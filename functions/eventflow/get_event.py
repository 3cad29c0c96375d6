"""GET /api/v1/events/{id}: one event, with its payload."""

from typing import Any

from tillflow.contexts.eventflow import browse
from tillflow.contexts.eventflow.answers import EventDetails
from tillflow.contexts.eventflow.rules import EventNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/events/{id}", answers={200: EventDetails}, refuses=[EventNotFound])
def get_event(request: Request) -> dict[str, Any]:
    """Answer the event; `payload` is null where it was erased."""
    return browse.present(browse.get(request.path["id"]))


handler = api.handler
