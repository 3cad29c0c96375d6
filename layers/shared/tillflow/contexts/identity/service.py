"""Credentials in, principals out; and new tokens."""

import hmac

from tillflow.contexts.identity import rules
from tillflow.contexts.identity.rules import Token
from tillflow.runtime import secrets
from tillflow.values import clock

_SIGNING = "TOKEN_SIGNING_SECRET_ARN"
_SERVICE = "SERVICE_TOKEN_SECRET_ARN"
SERVICE_PRINCIPAL = Token("service", ("service",), 0, 0)


def issue_token(user_id: str, roles: tuple[str, ...], ttl_seconds: int) -> str:
    """Return a token of *user_id* with *roles* that is valid for *ttl_seconds* from now."""
    now = clock.epoch(clock.now())
    return rules.issue(Token(user_id, roles, now, now + ttl_seconds), secrets.current(_SIGNING))


def read_token(text: str) -> Token | None:
    """Return what a valid token says, else None. One signed before the last rotation is valid too."""
    now = clock.epoch(clock.now())
    read = (rules.read(text, secret, now) for secret in secrets.versions(_SIGNING))
    return next((token for token in read if token), None)


def read_service_token(text: str) -> Token | None:
    """Return the service principal if *text* is the stack's service token, else None."""
    sent = text.encode("utf-8", "surrogatepass")
    return SERVICE_PRINCIPAL if any(hmac.compare_digest(secret, sent) for secret in secrets.versions(_SERVICE)) else None


def authenticate(headers: dict[str, str], accepted: tuple[str, ...]) -> Token | None:
    """
    Return the principal of a request's credential (*headers* in lower case), or None: no or no valid credential.

    Only the *accepted* headers are looked at: API Gateway keeps the answer under these, for whoever sends the same.
    """
    credentials = {name: headers[name] for name in accepted if name in headers}
    scheme, _, credential = credentials.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return read_token(credential.strip())
    if "x-service-token" in credentials:
        return read_service_token(credentials["x-service-token"])
    # X-Api-Key: producers do not exist yet, so there is no valid key.
    return None
