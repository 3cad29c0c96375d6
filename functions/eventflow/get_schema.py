"""GET /api/v1/event-types/{type}/versions/{version}: the schema of a version of an event type."""

from typing import Any

from tillflow.contexts.eventflow import registering
from tillflow.contexts.eventflow.answers import RegisteredSchema
from tillflow.contexts.eventflow.models import SchemaPath
from tillflow.contexts.eventflow.registering import SchemaNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "GET /api/v1/event-types/{type}/versions/{version}",
    path=SchemaPath,
    answers={200: RegisteredSchema},
    refuses=[SchemaNotFound],
)
def get_schema(request: Request) -> dict[str, Any]:
    """Answer the version and its schema. The product's own types have version 1."""
    place = request.named(SchemaPath)
    return registering.show(place.type, place.version)


handler = api.handler
