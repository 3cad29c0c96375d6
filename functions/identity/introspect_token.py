"""POST /api/auth/introspect: tell whether a credential is valid, and what it says (RFC 7662's answer)."""

from tillflow.contexts.eventflow import door
from tillflow.contexts.identity import credentials
from tillflow.contexts.identity.answers import ActiveCredential, ActiveToken, InactiveToken
from tillflow.contexts.identity.models import IntrospectToken
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /api/auth/introspect", body=IntrospectToken, answers={200: ActiveToken | ActiveCredential | InactiveToken})
def introspect_token(request: Request) -> dict[str, object]:
    """
    Answer `{"active": true, "userId", "roles", "issuedAt", "expiresAt"}`, or `{"active": false}` and no reason.

    Of any kind of credential; those that are no issued token also say their `tokenType`. Not active is what has expired, has
    been revoked or used up, and whatever is of a session that is over, of a disabled user or of a disabled producer.
    """
    caller = credentials.look_into(request.body(IntrospectToken).token)
    if caller is None or (caller.kind == "api_key" and door.look(caller.user_id) is None):
        return {"active": False}
    said = {
        "active": True,
        "userId": caller.user_id,
        "roles": list(caller.roles),
        "issuedAt": caller.issued_at,
        "expiresAt": caller.expires_at,
    }
    if caller.kind != "bearer":
        said |= {"tokenType": caller.kind, "scopes": None if caller.scopes is None else list(caller.scopes)}
    return {name: value for name, value in said.items() if value is not None}


handler = api.handler
