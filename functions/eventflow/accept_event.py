"""POST /api/v1/events: take in an event from outside."""

from tillflow.contexts.eventflow import accepting, door
from tillflow.contexts.eventflow.answers import AcceptedEvent
from tillflow.contexts.eventflow.door import TooManyEvents
from tillflow.contexts.eventflow.models import SendEvent
from tillflow.contexts.eventflow.rules import PayloadTooLarge, ReservedEventType
from tillflow.contexts.eventflow.schemas import SchemaViolation
from tillflow.storage.idempotency import KeyReused, Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/events",
    body=SendEvent,
    key="optional",
    answers={202: AcceptedEvent},
    refuses=[ReservedEventType, PayloadTooLarge, SchemaViolation, KeyReused, TooManyEvents],
)
def accept_event(request: Request) -> Reply:
    """
    Answer 202 once the event is stored: it will be delivered to every consumer that wants its type.

    Under an `Idempotency-Key` it is one event for 90 days, however often it is sent. A payload has 200 KB at most.
    """
    guest, cause = request.told(door.Guest), request.cause()
    wanted = request.fit(SendEvent, request.json(exact=True))
    door.take(guest, 1, request.arrived, cause)
    return accepting.accept(guest, wanted, request.key, request.arrived, cause)


handler = api.handler
