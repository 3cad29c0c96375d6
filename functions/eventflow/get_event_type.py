"""GET /api/v1/event-types/{type}: the versions of an event type."""

from typing import Any

from tillflow.contexts.eventflow import registering
from tillflow.contexts.eventflow.answers import EventTypeVersions
from tillflow.contexts.eventflow.models import TypePath
from tillflow.contexts.eventflow.registering import SchemaNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/event-types/{type}", path=TypePath, answers={200: EventTypeVersions}, refuses=[SchemaNotFound])
def get_event_type(request: Request) -> dict[str, Any]:
    """Answer the registered versions, first to last, without their schemas."""
    return registering.show_type(request.named(TypePath).type)


handler = api.handler
