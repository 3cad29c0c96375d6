"""Issued tokens and the stack's service token: made, and read."""

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
