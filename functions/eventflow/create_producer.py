"""POST /api/v1/producers: make a producer of events, and its first API key."""

from tillflow.contexts.eventflow import producers
from tillflow.contexts.eventflow.answers import CreatedProducer
from tillflow.contexts.eventflow.models import NewProducer
from tillflow.contexts.identity import machines
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import Reply
from tillflow.web.authorization import KeyScope
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("POST /api/v1/producers", body=NewProducer, answers={201: CreatedProducer})
def create_producer(request: Request) -> Reply:
    """
    Answer 201, the producer and its API key, to be sent as `X-Api-Key`: it is shown this once.

    Whose answer was lost makes another producer, and disables the one that was never used.
    """
    cause = request.cause()
    commit = Commit(cause)
    producer = producers.add(commit, request.body(NewProducer), cause)
    machine, text = machines.add(commit, machines.API_KEY, producer.producer_id, "first", tuple(KeyScope), cause)
    commit.write()
    return Reply(201, producers.present(producer) | {"api_key": text, "key_id": machine.machine_id})


handler = api.handler
