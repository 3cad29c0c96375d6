"""PUT /api/v1/event-types/{type}/versions/{version}: register the schema of a version of an event type."""

from tillflow.contexts.eventflow import registering
from tillflow.contexts.eventflow.answers import Incompatible, RegisteredSchema
from tillflow.contexts.eventflow.bounds import InvalidSchema
from tillflow.contexts.eventflow.models import JsonSchema, SchemaPath, SchemaQuery
from tillflow.contexts.eventflow.registering import SchemaIncompatible, VersionConflict
from tillflow.contexts.eventflow.rules import ReservedEventType
from tillflow.storage.idempotency import Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "PUT /api/v1/event-types/{type}/versions/{version}",
    path=SchemaPath,
    query=SchemaQuery,
    body=JsonSchema,
    answers={201: RegisteredSchema, 200: RegisteredSchema, 409: Incompatible},
    refuses=[InvalidSchema, ReservedEventType, SchemaIncompatible, VersionConflict],
)
def register_schema(request: Request) -> Reply:
    """
    Answer 201, or 200 where the version has this schema already. From now on the payloads of its events must fit.

    Versions begin with 1, without gaps. Whoever reads the earlier ones must be able to read this one: whatever fits it fits
    each of them. What cannot be shown to be so is refused (409, with `reasons`), but for `override=true&reason=…`, of which
    the event `eventflow.schema_overridden.v1` tells. `format` says what a text means, and refuses none.
    """
    if not request.event.get("body"):
        raise InvalidSchema("Send the JSON Schema as the body.")
    schema = request.fit(JsonSchema, request.json(exact=True)).root
    wanted, place = request.query(SchemaQuery), request.named(SchemaPath)
    return registering.register(place.type, place.version, schema, wanted.reason, request.cause())


handler = api.handler
