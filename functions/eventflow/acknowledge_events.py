"""POST /api/v1/consumers/{id}/ack: have done with events that were fetched."""

from typing import Any

from tillflow.contexts.eventflow import handling
from tillflow.contexts.eventflow.consumeranswers import Results
from tillflow.contexts.eventflow.consumermodels import Acknowledge
from tillflow.contexts.eventflow.fetching import QueueMissing
from tillflow.contexts.eventflow.leases import InvalidAck
from tillflow.contexts.eventflow.registry import ConsumerNotFound, ConsumerNotReady
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/consumers/{id}/ack",
    body=Acknowledge,
    answers={200: Results},
    refuses=[ConsumerNotFound, ConsumerNotReady, InvalidAck, QueueMissing],
)
def acknowledge_events(request: Request) -> dict[str, Any]:
    """
    Answer what became of each, in the order in which they were sent.

    `acknowledged`: it does not come again. `expired`: its lease was over, and it may. `failed`: send that one again.
    A token counts as long as it says: of an event that was given back, or whose lease was made shorter, use none of before.
    """
    return handling.acknowledge(request.path["id"], request.body(Acknowledge))


handler = api.handler
