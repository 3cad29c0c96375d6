"""GET /api/v1/producers/{id}/keys: a producer's API keys, without their secrets."""

from typing import Any

from tillflow.contexts.eventflow import producers
from tillflow.contexts.eventflow.answers import KeyList
from tillflow.contexts.eventflow.rules import ProducerNotFound
from tillflow.contexts.identity import machines
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/producers/{id}/keys", answers={200: KeyList}, refuses=[ProducerNotFound])
def list_keys(request: Request) -> dict[str, Any]:
    """Answer those that are not revoked, newest first. One that was made a moment ago may be missing."""
    producer = producers.get(request.path["id"])
    return {"items": [machines.present(each) for each in machines.list_live(machines.API_KEY, producer.producer_id)]}


handler = api.handler
