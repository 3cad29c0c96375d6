"""DELETE /v1/auth/sessions/{id}: end one of the caller's sessions."""

from tillflow.contexts.identity import sessions
from tillflow.contexts.identity.refusals import SessionNotFound
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("DELETE /v1/auth/sessions/{id}", answers={204: None}, refuses=[SessionNotFound])
def end_session(request: Request) -> None:
    """End a session of the caller's, on whatever device it is."""
    sessions.end(request.caller.user_id, request.path["id"], request.cause())


handler = api.handler
