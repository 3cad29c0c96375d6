"""DELETE /api/v1/consumers/{id}/dead-letters/{eventId}: forget a dead letter."""

from tillflow.contexts.eventflow import deadletters, registry
from tillflow.contexts.eventflow.deadletters import DeadLetterNotFound
from tillflow.contexts.eventflow.registry import ConsumerNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "DELETE /api/v1/consumers/{id}/dead-letters/{eventId}",
    answers={204: None},
    refuses=[ConsumerNotFound, DeadLetterNotFound],
)
def discard_dead_letter(request: Request) -> None:
    """Answer 204: the consumer is not given this event again. The event itself is kept."""
    deadletters.discard(registry.find(request.path["id"]), request.path["eventId"])


handler = api.handler
