"""POST /api/auth/token: issue a token (for services and admins)."""

from tillflow.contexts.identity import service
from tillflow.contexts.identity.answers import IssuedToken
from tillflow.contexts.identity.models import IssueToken
from tillflow.web.http import Api
from tillflow.web.request import FreshLoginRequired, Request

api = Api()


@api.route("POST /api/auth/token", body=IssueToken, answers={200: IssuedToken}, refuses=[FreshLoginRequired])
def issue_token(request: Request) -> dict[str, object]:
    """Answer `{"token", "tokenType", "expiresIn"}`. Of somebody's session it takes a login of the last ten minutes."""
    if request.caller.session_id is not None:
        # What is issued opens what asks for a fresh login: a session that is none must not make itself one.
        request.caller.require_fresh_login()
    wanted = request.body(IssueToken)
    token = service.issue_token(wanted.userId, tuple(wanted.roles), wanted.ttlSeconds)
    return {"token": token, "tokenType": "Bearer", "expiresIn": wanted.ttlSeconds}


handler = api.handler
