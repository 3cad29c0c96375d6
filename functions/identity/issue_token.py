"""POST /api/auth/token: issue a token (for services and admins)."""

from tillflow.http import Api
from tillflow.identity import service
from tillflow.identity.answers import IssuedToken
from tillflow.identity.models import IssueToken
from tillflow.request import Request

api = Api()


@api.route("POST /api/auth/token", body=IssueToken, answers={200: IssuedToken})
def issue_token(request: Request) -> dict[str, object]:
    """Answer `{"token", "tokenType", "expiresIn"}`."""
    wanted = request.body(IssueToken)
    token = service.issue_token(wanted.userId, tuple(wanted.roles), wanted.ttlSeconds)
    return {"token": token, "tokenType": "Bearer", "expiresIn": wanted.ttlSeconds}


handler = api.handler
