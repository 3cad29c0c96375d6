"""Every route against every kind of credential, through the real authorizer: who is let in, who is told 401 and who 403."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests import accounts, producers, shop
from tests.people import authorized, through_authorizer
from tests.producers import Producer
from tests.world import SECRETS, SERVICE_TOKEN, Answer, World
from tillflow.contexts.identity import keyring, rules, tokens
from tillflow.contexts.identity.rules import Token
from tillflow.values import clock, ids
from tillflow.web.authorization import AUTHENTICATED, PUBLIC, ROUTES, SCOPES, Role, credentials_of, scopes_of

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


def log_in(world: World, *roles: str, at: timedelta = timedelta(), **values: Any) -> str:
    """Let there be a user with *roles*, logged in *at* a time from now, and return their access token; *values* as `change`s."""
    account = accounts.add(world, *roles)
    for part in ("user", "session"):
        account.change(world, part, **values.get(part, {}))
    return tokens.access(account.user_id, account.session_id, roles, clock.now() + at)


def forged(world: World) -> str:
    """Return an administrator's token that is right in everything but its signature, which another key has made."""
    header, claims, _ = log_in(world, "admin").split(".")
    key = keyring.key_of(ec.derive_private_key(7, keyring.CURVE()), 0)
    signature = tokens._JWS.encode(b"anything", key.private, "ES256").split(".")[2]  # noqa: SLF001 - a forger's key
    return f"{header}.{claims}.{signature}"


def service_s(role: str, user_id: str = "somebody", seconds: int = 600) -> str:
    """Return a token as `POST /api/auth/token` issues them, that is good for so many *seconds* from now."""
    now = clock.epoch(clock.now())
    return rules.issue(Token(user_id, (role,), now - 100, now + seconds), SECRETS["TokenSigningSecret"].encode())


def disabled_user_s(world: World) -> str:
    """Return a service's token for a user who is disabled."""
    account = accounts.add(world, "admin")
    account.change(world, "user", disabled=True)
    return service_s("admin", account.user_id)


# What is no credential, or is none any more: 401 on every route that asks for one.
WORTHLESS: dict[str, Callable[[World], str]] = {
    "none": lambda _: "",
    "made up": lambda _: "made.up.token",
    "expired": lambda world: log_in(world, "admin", at=timedelta(hours=-1)),
    "forged": forged,
    "a refresh token": lambda world: accounts.add(world, "admin").refresh(),
    "the service token": lambda _: SERVICE_TOKEN,
    "of a revoked session": lambda world: log_in(world, "admin", session={"revoked_at": clock.iso(clock.now())}),
    "of a session that a new password ended": lambda world: log_in(world, "admin", user={"epoch": 7}),
    "of a disabled user": lambda world: log_in(world, "admin", user={"disabled": True}),
    "a service's, expired": lambda _: service_s("admin", seconds=-1),
    "a service's, for a disabled user": disabled_user_s,
}
# And what is one: of each role, as a login and as a service's token.
GOOD: dict[str, Callable[[World, Role], str]] = {
    "a login": lambda world, role: log_in(world, role.value),
    "a service's": lambda _, role: service_s(role.value),
}


PATH = {name: ids.new() for name in ("orderId", "id", "variantId", "keyId")} | {"userId": "user-2"}


def call(world: World, route: str, token: str) -> Answer:
    """Send a request that makes little sense, with a token."""
    return authorized(world, route, token, {}, path=PATH, headers={"Idempotency-Key": "k"})


def turned_away(answer: Answer) -> int | None:
    """Return the status that says that the credential was not enough, if it does."""
    code: Any = answer.json.get("error_code") if answer.status in (401, 403) and answer.text else None
    return None if code not in (None, "UNAUTHORIZED", "FORBIDDEN") else answer.status if answer.status in (401, 403) else None


@pytest.mark.parametrize("route", ASKED)
def test_what_is_no_credential_opens_no_route(world: World, route: str) -> None:
    answers = {name: call(world, route, make(world)).status for name, make in WORTHLESS.items()}

    assert answers == dict.fromkeys(WORTHLESS, 401)


@pytest.mark.parametrize("route", ASKED)
def test_each_role_is_let_in_or_turned_away_whatever_its_credential(world: World, route: str) -> None:
    demand = ROUTES[route]
    # Where a producer's key is asked for, whose bearer it is matters to nobody.
    refused = 401 if "authorization" not in credentials_of(route) else 403
    expected = {
        (kind, role): None if demand == AUTHENTICATED or demand in scopes_of((role.value,)) else refused
        for kind in GOOD
        for role in Role
    }

    assert {
        (kind, role): turned_away(call(world, route, make(world, role))) for kind, make in GOOD.items() for role in Role
    } == expected


def test_every_route_that_any_credential_opens_says_what_becomes_of_what_is_another_s() -> None:
    assert {route for route in ROUTES if ROUTES[route] == AUTHENTICATED} == OF_OTHERS.keys() | OF_THE_CALLER


@pytest.mark.parametrize("route", OF_OTHERS)
def test_what_is_another_s_is_told_to_nobody(world: World, route: str) -> None:
    other = accounts.add(world)
    shop.stock(world, 5)
    made = {"orderId": shop.order(world), "id": other.session_id if "sessions" in route else other.user_id}

    answer = authorized(world, route, log_in(world, "buyer"), path=made)

    assert answer.status == OF_OTHERS[route], answer
    assert other.user_id not in answer.text


# What is sent as a producer's key, and is none.
NO_KEYS: dict[str, Callable[[Producer], str]] = {
    "nothing": lambda _: "",
    "made up": lambda _: f"tf_{'0' * 32}_{'A' * 43}",
    "with another's secret": lambda producer: producer.key[:-43] + producers.add(producer.world).key[-43:],
    "revoked": lambda producer: producer.revoked(),
    "of a disabled producer": lambda producer: producer.disabled(),
    "a service's token": lambda producer: service_token(producer.world),
    "the stack's service token": lambda _: SERVICE_TOKEN,
    "an administrator's login": lambda producer: log_in(producer.world, "admin"),
}


@pytest.mark.parametrize("route", [route for route in ROUTES if credentials_of(route) == ("x-api-key",)])
def test_only_a_producer_s_own_key_opens_the_events_door(world: World, route: str) -> None:
    answers = {
        name: through_authorizer(world, route, {"X-Api-Key": make(producers.add(world))}, {}).status
        for name, make in NO_KEYS.items()
    }

    assert answers == dict.fromkeys(NO_KEYS, 401)
    # What is sent makes little sense; but it is let in to say so.
    assert through_authorizer(world, route, {"X-Api-Key": producers.add(world).key}, {}).status == 400


@pytest.mark.parametrize("route", ASKED)
def test_a_producer_s_key_opens_nothing_else(world: World, route: str) -> None:
    key = producers.add(world).key
    if "x-api-key" not in credentials_of(route):
        for name in ("X-Api-Key", "X-Service-Token", "Authorization"):
            value = f"Bearer {key}" if name == "Authorization" else key
            assert through_authorizer(world, route, {name: value}, {}, path=PATH).status == 401


def service_token(world: World) -> str:
    body = {"name": "a", "scopes": ["tokens:issue"]}
    return str(world.call("POST /v1/service-tokens", roles=["admin"], body=body).json["token"])


def test_nobody_but_administrators_reads_or_changes_users() -> None:
    assert [role for role in Role if SCOPES[role] & {"users:read", "users:write"}] == [Role.ADMIN]
