"""POST /api/v1/consumers/{id}/dead-letters/{eventId}/redrive: give a consumer a dead letter once more."""

from tillflow.contexts.eventflow import deadletters, registry
from tillflow.contexts.eventflow.consumeranswers import Redriven
from tillflow.contexts.eventflow.deadletters import DeadLetterNotFound
from tillflow.contexts.eventflow.fetching import QueueMissing
from tillflow.contexts.eventflow.registry import ConsumerNotFound, ConsumerNotReady
from tillflow.storage.idempotency import Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/consumers/{id}/dead-letters/{eventId}/redrive",
    answers={202: Redriven},
    refuses=[ConsumerNotFound, ConsumerNotReady, DeadLetterNotFound, QueueMissing],
)
def redrive_dead_letter(request: Request) -> Reply:
    """Answer 202: the event is queued again, and `replayed`. It may then be delivered ten times more."""
    consumer, event_id = registry.live(registry.find(request.path["id"])), request.path["eventId"]
    deadletters.redrive(consumer, event_id)
    return Reply(202, {"event_id": event_id, "status": "QUEUED"})


handler = api.handler
