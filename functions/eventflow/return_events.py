"""POST /api/v1/consumers/{id}/nack: let events come again, now or later."""

from typing import Any

from tillflow.contexts.eventflow import handling
from tillflow.contexts.eventflow.consumeranswers import Results
from tillflow.contexts.eventflow.consumermodels import GiveBack
from tillflow.contexts.eventflow.fetching import QueueMissing
from tillflow.contexts.eventflow.handling import AcknowledgesByFetching
from tillflow.contexts.eventflow.leases import InvalidAck
from tillflow.contexts.eventflow.registry import ConsumerNotFound, ConsumerNotReady
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/consumers/{id}/nack",
    body=GiveBack,
    answers={200: Results},
    refuses=[AcknowledgesByFetching, ConsumerNotFound, ConsumerNotReady, InvalidAck, QueueMissing],
)
def return_events(request: Request) -> dict[str, Any]:
    """
    Answer what became of each, in the order in which they were sent.

    `returned`: it comes again. `expired`: its lease was over, it does so by itself. `failed`: send that one again.
    """
    return handling.give_back(request.path["id"], request.body(GiveBack))


handler = api.handler
