"""GET /api/v1/consumers/{id}/events: the next events for a consumer."""

from typing import Any

from tillflow.contexts.eventflow import fetching
from tillflow.contexts.eventflow.consumeranswers import Fetched
from tillflow.contexts.eventflow.consumermodels import FetchQuery
from tillflow.contexts.eventflow.fetching import QueueMissing
from tillflow.contexts.eventflow.registry import ConsumerNotFound, ConsumerNotReady
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "GET /api/v1/consumers/{id}/events",
    query=FetchQuery,
    answers={200: Fetched},
    refuses=[ConsumerNotFound, ConsumerNotReady, QueueMissing],
)
def fetch_events(request: Request) -> dict[str, Any]:
    """
    Answer events, each at least once and leased to whoever fetched it, and what acknowledges each. It ends at some 4 MB.

    With `ack: auto` a fetch acknowledges what the fetch before returned to the same poller: the same credential, address, user
    agent and `poller`. Several that do not differ in these name themselves with `poller`, or the one acknowledges the other's.
    Who got no answer goes on as another `poller`, or acknowledges what it has not seen. With `ack: manual` there is no such care.
    """
    who = (request.caller.user_id, request.address, request.user_agent)
    return fetching.fetch(request.path["id"], request.query(FetchQuery), who)


handler = api.handler
