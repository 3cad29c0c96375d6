"""GET /api/v1/consumers/{id}: a consumer, and what waits for it."""

from tillflow.contexts.eventflow import consumers
from tillflow.contexts.eventflow.consumeranswers import WatchedConsumer
from tillflow.contexts.eventflow.registry import ConsumerNotFound
from tillflow.web.http import Api, Versioned
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/consumers/{id}", answers={200: WatchedConsumer}, versioned=True, refuses=[ConsumerNotFound])
def get_consumer(request: Request) -> Versioned:
    """Answer a consumer with its backlog and its dead letters."""
    consumer, seen = consumers.watched(request.path["id"])
    return Versioned(seen, consumer.version)


handler = api.handler
