"""POST /api/v1/consumers: register who wants which events."""

from tillflow.contexts.eventflow import enrolling
from tillflow.contexts.eventflow.consumeranswers import Consumer
from tillflow.contexts.eventflow.consumermodels import CreateConsumer
from tillflow.contexts.eventflow.enrolling import AlreadyRegistered
from tillflow.contexts.eventflow.registry import TooManyConsumers
from tillflow.storage.idempotency import KeyReused, Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/consumers",
    body=CreateConsumer,
    key="optional",
    answers={201: Consumer},
    refuses=[AlreadyRegistered, KeyReused, TooManyConsumers],
)
def create_consumer(request: Request) -> Reply:
    """
    Answer 201 and the consumer: it gets every event of its types that is accepted from then on.

    Where no answer comes, send it again with the same `Idempotency-Key`, and it goes on where it had ended.
    """
    once = request.idempotency("create_consumer")
    return enrolling.register(request.body(CreateConsumer), request.cause(), once, request.key)


handler = api.handler
