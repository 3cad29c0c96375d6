"""POST /api/auth/introspect: tell whether a token is valid, and what it says (RFC 7662's answer)."""

from tillflow.contexts.identity import service
from tillflow.contexts.identity.answers import ActiveToken, InactiveToken
from tillflow.contexts.identity.models import IntrospectToken
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /api/auth/introspect", body=IntrospectToken, answers={200: ActiveToken | InactiveToken})
def introspect_token(request: Request) -> dict[str, object]:
    """Answer `{"active": true, "userId", "roles", "issuedAt", "expiresAt"}`, or `{"active": false}` and no reason."""
    token = service.read_token(request.body(IntrospectToken).token)
    if token is None:
        return {"active": False}
    return {
        "active": True,
        "userId": token.user_id,
        "roles": list(token.roles),
        "issuedAt": token.issued_at,
        "expiresAt": token.expires_at,
    }


handler = api.handler
