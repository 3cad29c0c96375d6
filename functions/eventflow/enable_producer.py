"""POST /api/v1/producers/{id}/enable: let a producer send events again."""

from typing import Any

from tillflow.contexts.eventflow import producers
from tillflow.contexts.eventflow.answers import Producer
from tillflow.contexts.eventflow.rules import ProducerNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("POST /api/v1/producers/{id}/enable", answers={200: Producer}, refuses=[ProducerNotFound])
def enable_producer(request: Request) -> dict[str, Any]:
    """Answer the producer: those of its keys that are not revoked open again."""
    return producers.present(producers.set_disabled(request.path["id"], request.cause(), disabled=False))


handler = api.handler
