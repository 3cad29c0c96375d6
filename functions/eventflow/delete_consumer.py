"""DELETE /api/v1/consumers/{id}: delete a consumer, and what waits for it."""

from tillflow.contexts.eventflow import consumers
from tillflow.contexts.eventflow.registry import ConsumerNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("DELETE /api/v1/consumers/{id}", answers={204: None}, refuses=[ConsumerNotFound])
def delete_consumer(request: Request) -> None:
    """Answer 204: the consumer, its queue and what was in it are gone. The events themselves are kept."""
    consumers.remove(request.path["id"], request.cause())


handler = api.handler
