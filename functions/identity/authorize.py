"""The REQUEST authorizer of every route: one credential in, principal and scopes out."""

from typing import Any

from tillflow.contexts.identity.credentials import Caller, authenticate
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.values import ids
from tillflow.web.authorization import credentials_of


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """
    Return the policy for the caller's credential.

    API Gateway keeps the answer for this credential, whichever route asks next, even beyond the token's life: so it
    allows the whole stage, and each function checks its own route's scope and `expiresAt`. Raising "Unauthorized" is
    how API Gateway is told to answer 401.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    begin(context, trace_id=ids.trace_id(headers.get("x-trace-id", "")))
    caller = authenticate(headers, credentials_of(f"{event['httpMethod']} {event['resource']}"))
    known = _known(caller) if caller else None
    if caller is None or known is None:
        logger.info("refused")
        raise Exception("Unauthorized")  # noqa: TRY002 - API Gateway matches this very text
    logger.info("authorized")
    api, stage, *_ = event["methodArn"].split("/")
    return {
        "principalId": caller.user_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*"}],
        },
        "context": {name: value for name, value in known.items() if value is not None},
    }


def _known(caller: Caller) -> dict[str, str | None] | None:
    """Return what functions are told of the caller (`request.Principal`): API Gateway hands on text. None: it may not come in."""
    known = {
        "userId": caller.user_id,
        "roles": ",".join(caller.roles),
        "expiresAt": _text(caller.expires_at),
        "sessionId": caller.session_id,
        "name": caller.name,
        "authenticatedAt": _text(caller.authenticated_at),
        "scopes": " ".join(caller.scopes) if caller.scopes is not None else None,
    }
    if caller.kind != "api_key":
        return known
    from tillflow.contexts.eventflow import door

    guest = door.look(caller.user_id)
    return known | guest.told() if guest else None


def _text(moment: int | None) -> str | None:
    return None if moment is None else str(moment)
