"""POST /api/v1/consumers/{id}/resume: hand out events again."""

from tillflow.contexts.eventflow import consumers
from tillflow.contexts.eventflow.consumeranswers import Consumer
from tillflow.contexts.eventflow.registry import ConsumerNotFound, ConsumerNotReady
from tillflow.web.http import Api, Versioned
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/consumers/{id}/resume",
    answers={200: Consumer},
    versioned=True,
    refuses=[ConsumerNotFound, ConsumerNotReady],
)
def resume_consumer(request: Request) -> Versioned:
    """Answer the consumer, active again."""
    found = consumers.resume(request.path["id"], request.cause())
    return Versioned(consumers.present(found), found.version)


handler = api.handler
