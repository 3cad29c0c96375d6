"""POST /api/v1/consumers/{id}/dead-letters/redrive: give a consumer its dead letters once more."""

from tillflow.contexts.eventflow import deadletters, registry
from tillflow.contexts.eventflow.consumeranswers import RedrivenAll
from tillflow.contexts.eventflow.fetching import QueueMissing
from tillflow.contexts.eventflow.registry import ConsumerNotFound, ConsumerNotReady
from tillflow.storage.idempotency import Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/consumers/{id}/dead-letters/redrive",
    answers={202: RedrivenAll},
    refuses=[ConsumerNotFound, ConsumerNotReady, QueueMissing],
)
def redrive_dead_letters(request: Request) -> Reply:
    """Answer 202: as many as there was time for are queued again. Send it again as long as some remain."""
    return Reply(202, deadletters.redrive_all(registry.live(registry.find(request.path["id"]))))


handler = api.handler
