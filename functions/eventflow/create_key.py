"""POST /api/v1/producers/{id}/keys: make another API key of a producer."""

from tillflow.contexts.eventflow import producers
from tillflow.contexts.eventflow.answers import CreatedKey
from tillflow.contexts.eventflow.models import NewKey
from tillflow.contexts.eventflow.rules import ProducerNotFound
from tillflow.contexts.identity import machines
from tillflow.storage.idempotency import Reply
from tillflow.web.authorization import KeyScope
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("POST /api/v1/producers/{id}/keys", body=NewKey, answers={201: CreatedKey}, refuses=[ProducerNotFound])
def create_key(request: Request) -> Reply:
    """
    Answer 201 and the key, to be sent as `X-Api-Key`: it is shown this once.

    Several live side by side: make one, use it, then revoke the one before.
    """
    name = request.body(NewKey).name
    producer = producers.get(request.path["id"])
    machine, text = machines.issue(machines.API_KEY, producer.producer_id, name, tuple(KeyScope), request.cause())
    return Reply(201, machines.present(machine) | {"api_key": text})


handler = api.handler
