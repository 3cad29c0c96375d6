"""POST /v1/auth/logout: end the session."""

from tillflow.contexts.identity import sessions
from tillflow.contexts.identity.refusals import NoSession, SessionNotFound
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /v1/auth/logout", answers={204: None}, refuses=[NoSession, SessionNotFound])
def log_out(request: Request) -> None:
    """End the session of the access token: neither of its tokens is good any more."""
    sessions.end(request.caller.user_id, request.caller.session_id, request.cause())


handler = api.handler
