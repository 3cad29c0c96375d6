"""Every route against every kind of credential, through the real authorizer: who is let in, who is told 401 and who 403."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.people import authorized
from tests.world import SECRETS, SERVICE_TOKEN, Answer, World
from tillflow.contexts.identity import keyring, rules, tables, tokens
from tillflow.contexts.identity.rules import Token
from tillflow.storage import batch
from tillflow.values import clock, ids
from tillflow.web.authorization import AUTHENTICATED, PUBLIC, ROUTES, SCOPES, Role, scopes_of

ASKED = [route for route in ROUTES if ROUTES[route] != PUBLIC]
# Whom a route that any credential opens shows what is somebody else's: the status that a stranger gets.
OF_OTHERS = {
    "GET /api/orders/{orderId}": 403,
    "GET /orders/{orderId}": 403,
    "DELETE /v1/auth/sessions/{id}": 404,
    "GET /v1/users/{id}": 404,
}
# Of those, the ones that show nobody's but the caller's own: nothing in the request says whose.
OF_THE_CALLER = {
    "POST /api/orders",
    "POST /orders",
    "GET /api/orders",
    "GET /orders",
    "POST /v1/auth/logout",
    "POST /v1/auth/password",
    "POST /v1/auth/mfa/totp",
    "POST /v1/auth/mfa/totp/confirm",
    "DELETE /v1/auth/mfa/totp",
    "GET /v1/auth/sessions",
    "GET /v1/users/me",
    "PATCH /v1/users/me",
}


def log_in(name: str, *roles: str, disabled: bool = False, revoked: bool = False, expired: bool = False) -> str:
    """Let there be a user of this name, logged in, and return their access token."""
    user_id, session_id = ids.derived("user", name), ids.derived("session", name)
    at = clock.now() - timedelta(hours=1 if expired else 0)
    user = {
        "email": f"{name}@example.com",
        "name": name,
        "roles": list(roles),
        "password_hash": "none",
        "email_verified": True,
        "disabled": disabled,
        "epoch": 0,
        "created_at": clock.iso(at),
    }
    session = {
        "epoch": 0,
        "current": 1,
        "previous": 0,
        "rotated_at": clock.milliseconds(at),
        "told_at": clock.milliseconds(at),
        "reissues": 0,
        "created_at": clock.iso(at),
        "authenticated_at": clock.epoch(at),
        "expires_at": clock.epoch(at) + 86_400,
        "address": "203.0.113.7",
        "user_agent": "tests",
        "revoked_at": clock.iso(at) if revoked else None,
    }
    batch.put("IdentityTable", [tables.user_key(user_id) | user, tables.session_key(user_id, session_id) | session])
    return tokens.access(user_id, session_id, roles, at)


def forged() -> str:
    """Return an administrator's token that is right in everything but its signature, which another key has made."""
    stolen = log_in("admin", "admin")
    header, claims, _ = stolen.split(".")
    key = keyring.key_of(ec.derive_private_key(7, keyring.CURVE()), 0)
    signature = tokens._JWS.encode(b"anything", key.private, "ES256").split(".")[2]  # noqa: SLF001 - a forger's key
    return f"{header}.{claims}.{signature}"


def refresh() -> str:
    """Return an administrator's refresh token."""
    log_in("admin", "admin")
    now = clock.now()
    return tokens.refresh(ids.derived("user", "admin"), ids.derived("session", "admin"), 1, now, clock.epoch(now) + 900)


def service_s(role: str, user_id: str = "somebody", seconds: int = 600) -> str:
    """Return a token as `POST /api/auth/token` issues them."""
    now = clock.epoch(clock.now())
    return rules.issue(Token(user_id, (role,), now - 700, now - 700 + 600 + seconds), SECRETS["TokenSigningSecret"].encode())


# What is no credential, or is none any more: 401 on every route that asks for one.
WORTHLESS: dict[str, Callable[[], str]] = {
    "none": lambda: "",
    "made up": lambda: "made.up.token",
    "expired": lambda: log_in("admin", "admin", expired=True),
    "forged": forged,
    "a refresh token": refresh,
    "the service token": lambda: SERVICE_TOKEN,
    "of a revoked session": lambda: log_in("admin", "admin", revoked=True),
    "of a disabled user": lambda: log_in("admin", "admin", disabled=True),
    "a service's, expired": lambda: service_s("admin", seconds=-1),
    "a service's, for a disabled user": lambda: (
        log_in("admin", disabled=True),
        service_s("admin", ids.derived("user", "admin")),
    )[1],
}
# And what is one: of each role, as a login and as a service's token.
GOOD: dict[str, Callable[[Role], str]] = {
    "a login": lambda role: log_in(role.value, role.value),
    "a service's": lambda role: service_s(role.value),
}


def call(world: World, route: str, token: str) -> Answer:
    """Send a request that makes little sense, with a token."""
    path = {"orderId": ids.new(), "id": ids.new(), "userId": "user-2", "variantId": ids.new()}
    return authorized(world, route, token, {}, path=path, headers={"Idempotency-Key": "k"})


def turned_away(answer: Answer) -> int | None:
    """Return the status that says that the credential was not enough, if it does."""
    code: Any = answer.json.get("error_code") if answer.status in (401, 403) and answer.text else None
    return None if code not in (None, "UNAUTHORIZED", "FORBIDDEN") else answer.status if answer.status in (401, 403) else None


@pytest.mark.parametrize("route", ASKED)
def test_what_is_no_credential_opens_no_route(world: World, route: str) -> None:
    answers = {name: call(world, route, make()).status for name, make in WORTHLESS.items()}

    assert answers == dict.fromkeys(WORTHLESS, 401)


@pytest.mark.parametrize("route", ASKED)
def test_each_role_is_let_in_or_turned_away_whatever_its_credential(world: World, route: str) -> None:
    demand = ROUTES[route]
    expected = {
        (kind, role): None if demand == AUTHENTICATED or demand in scopes_of((role.value,)) else 403
        for kind in GOOD
        for role in Role
    }

    assert {(kind, role): turned_away(call(world, route, make(role))) for kind, make in GOOD.items() for role in Role} == expected


def test_every_route_that_any_credential_opens_says_what_becomes_of_what_is_another_s() -> None:
    assert {route for route in ROUTES if ROUTES[route] == AUTHENTICATED} == OF_OTHERS.keys() | OF_THE_CALLER


def test_nobody_but_administrators_reads_or_changes_users() -> None:
    assert [role for role in Role if SCOPES[role] & {"users:read", "users:write"}] == [Role.ADMIN]
