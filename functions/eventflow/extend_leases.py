"""POST /api/v1/consumers/{id}/extend: take longer for events that were fetched."""

from typing import Any

from tillflow.contexts.eventflow import handling
from tillflow.contexts.eventflow.consumeranswers import Results
from tillflow.contexts.eventflow.consumermodels import Extend
from tillflow.contexts.eventflow.fetching import QueueMissing
from tillflow.contexts.eventflow.leases import InvalidAck
from tillflow.contexts.eventflow.registry import ConsumerNotFound, ConsumerNotReady
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/consumers/{id}/extend",
    body=Extend,
    answers={200: Results},
    refuses=[ConsumerNotFound, ConsumerNotReady, InvalidAck, QueueMissing],
)
def extend_leases(request: Request) -> dict[str, Any]:
    """
    Answer what became of each, in the order in which they were sent, and what acknowledges it from then on.

    `extended`: nobody else is given it before. `expired`: its lease was over. `failed`: send that one again.
    """
    return handling.extend(request.path["id"], request.body(Extend))


handler = api.handler
