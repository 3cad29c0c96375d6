"""POST /api/v1/producers/{id}/disable: let a producer send nothing from now on."""

from typing import Any

from tillflow.contexts.eventflow import producers
from tillflow.contexts.eventflow.answers import Producer
from tillflow.contexts.eventflow.rules import ProducerNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("POST /api/v1/producers/{id}/disable", answers={200: Producer}, refuses=[ProducerNotFound])
def disable_producer(request: Request) -> dict[str, Any]:
    """Answer the producer: from now on its keys open nothing, until it is enabled again."""
    return producers.present(producers.set_disabled(request.path["id"], request.cause(), disabled=True))


handler = api.handler
