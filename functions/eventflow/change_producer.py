"""PATCH /api/v1/producers/{id}: change what a producer is called, or how many events it may send."""

from typing import Any

from tillflow.contexts.eventflow import producers
from tillflow.contexts.eventflow.answers import Producer
from tillflow.contexts.eventflow.models import ProducerFields
from tillflow.contexts.eventflow.rules import ProducerNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("PATCH /api/v1/producers/{id}", patch=ProducerFields, answers={200: Producer}, refuses=[ProducerNotFound])
def change_producer(request: Request) -> dict[str, Any]:
    """Answer the producer with a JSON Merge Patch (RFC 7396) applied to it."""
    return producers.present(producers.change(request.path["id"], request.patch(ProducerFields), request.cause()))


handler = api.handler
