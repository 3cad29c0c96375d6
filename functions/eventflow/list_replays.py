"""GET /api/v1/consumers/{id}/replays: a consumer's replays."""

from typing import Any

from tillflow.contexts.eventflow import replays
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.contexts.eventflow.registry import ConsumerNotFound
from tillflow.contexts.eventflow.replayanswers import ReplayPage
from tillflow.web.http import Api
from tillflow.web.paging import InvalidPlace
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "GET /api/v1/consumers/{id}/replays",
    query=ListQuery,
    answers={200: ReplayPage},
    refuses=[ConsumerNotFound, InvalidPlace],
)
def list_replays(request: Request) -> dict[str, Any]:
    """Answer a page of replays, newest first; also those that were begun because its queue had to be made again."""
    return replays.page(request.path["id"], request.query(ListQuery))


handler = api.handler
