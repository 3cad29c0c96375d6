"""GET /api/v1/producers/{id}: one producer of events."""

from typing import Any

from tillflow.contexts.eventflow import producers
from tillflow.contexts.eventflow.answers import Producer
from tillflow.contexts.eventflow.rules import ProducerNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/producers/{id}", answers={200: Producer}, refuses=[ProducerNotFound])
def get_producer(request: Request) -> dict[str, Any]:
    """Answer the producer."""
    return producers.present(producers.get(request.path["id"]))


handler = api.handler
