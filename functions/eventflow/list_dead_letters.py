"""GET /api/v1/consumers/{id}/dead-letters: the events that a consumer has failed on ten times."""

from typing import Any

from tillflow.contexts.eventflow import deadletters, registry
from tillflow.contexts.eventflow.consumeranswers import DeadLetterPage
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.contexts.eventflow.registry import ConsumerNotFound
from tillflow.web.http import Api
from tillflow.web.paging import InvalidPlace
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "GET /api/v1/consumers/{id}/dead-letters",
    query=ListQuery,
    answers={200: DeadLetterPage},
    refuses=[ConsumerNotFound, InvalidPlace],
)
def list_dead_letters(request: Request) -> dict[str, Any]:
    """Answer a page of dead letters, oldest first. A new one may take a moment to appear."""
    return deadletters.page(registry.find(request.path["id"]), request.query(ListQuery))


handler = api.handler
