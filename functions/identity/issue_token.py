"""POST /api/auth/token: issue a token (for services and admins)."""

from tillflow.contexts.identity import service
from tillflow.contexts.identity.answers import IssuedToken
from tillflow.contexts.identity.models import IssueToken
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /api/auth/token", body=IssueToken, answers={200: IssuedToken})
def issue_token(request: Request) -> dict[str, object]:
    """Answer `{"token", "tokenType", "expiresIn"}`."""
    wanted = request.body(IssueToken)
    token = service.issue_token(wanted.userId, tuple(wanted.roles), wanted.ttlSeconds)
    return {"token": token, "tokenType": "Bearer", "expiresIn": wanted.ttlSeconds}


handler = api.handler
