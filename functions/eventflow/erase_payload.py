"""DELETE /api/v1/events/{id}/payload: erase what an event says, and keep that there was one."""

from tillflow.contexts.eventflow import browse
from tillflow.contexts.eventflow.rules import EventNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("DELETE /api/v1/events/{id}/payload", answers={204: None}, refuses=[EventNotFound])
def erase_payload(request: Request) -> None:
    """Answer 204. Consumers that have not fetched the event get it without its payload; those that have are not told."""
    browse.erase(request.path["id"], request.cause())


handler = api.handler
