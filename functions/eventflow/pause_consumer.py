"""POST /api/v1/consumers/{id}/pause: hand out no events for a while; they wait."""

from tillflow.contexts.eventflow import consumers
from tillflow.contexts.eventflow.consumeranswers import Consumer
from tillflow.contexts.eventflow.registry import ConsumerNotFound, ConsumerNotReady
from tillflow.web.http import Api, Versioned
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/consumers/{id}/pause",
    answers={200: Consumer},
    versioned=True,
    refuses=[ConsumerNotFound, ConsumerNotReady],
)
def pause_consumer(request: Request) -> Versioned:
    """Answer the consumer, paused: its events wait, for 14 days at most. Paused twice is paused."""
    found = consumers.pause(request.path["id"], request.cause())
    return Versioned(consumers.present(found), found.version)


handler = api.handler
