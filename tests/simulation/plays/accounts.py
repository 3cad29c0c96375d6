"""What people with accounts do: register, open their mail, log in, refresh, and come again with what they should not have."""

from collections import Counter
from typing import Any

import jwt

from local.shop import people
from tests.simulation.scene import Evening, Request, Scene
from tests.world import REFRESH_KEY
from tillflow.contexts.identity import passwords, tables
from tillflow.runtime.config import setting
from tillflow.storage import batch
from tillflow.values import clock, ids

REGISTER, VERIFY, LOG_IN, REFRESH = (f"POST /v1/auth/{path}" for path in ("register", "email/verify", "login", "refresh"))
VERIFY_SECOND_FACTOR = "POST /v1/auth/mfa/verify"
PEOPLE = ("ann", "ben", "cem")
PASSWORDS = ("a lamp on the green desk", "two lamps on the brown desk")


def _email(name: str) -> str:
    return f"{name}@example.com"


def registers(scene: Scene) -> Request:
    """Return the request of somebody to have an account, once more as often as not."""
    name = scene.dice.choice(PEOPLE)
    body = {"email": _email(name), "password": scene.dice.choice(PASSWORDS), "name": name.title()}
    return Request(REGISTER, "anonymous", "buyer", body, codes=frozenset({"TOO_MANY_ATTEMPTS"}))


def verifies(scene: Scene) -> Request:
    """Return the request of somebody who guesses at a link."""
    token = f"{'A' * 22}.{'A' * 42}{scene.dice.choice('AEI')}"
    return Request(VERIFY, "anonymous", "buyer", {"token": token}, codes=frozenset({"INVALID_CODE"}), succeeds=False)


def logs_in(scene: Scene) -> Request:
    """Return the request of somebody to log in: nobody has opened their mail."""
    body = {"email": _email(scene.dice.choice(PEOPLE)), "password": scene.dice.choice(PASSWORDS)}
    codes = frozenset({"INVALID_CREDENTIALS", "EMAIL_NOT_VERIFIED", "TOO_MANY_ATTEMPTS"})
    return Request(LOG_IN, "anonymous", "buyer", body, codes=codes, succeeds=False)


def refreshes(scene: Scene) -> Request:
    """Return the request of somebody who lives here with one of their session's first tokens, or of who stole it."""
    name, generation = scene.dice.choice(HOUSE), scene.dice.choice((1, 1, 1, 2))
    issuer, now = setting("TOKEN_ISSUER"), clock.epoch(clock.now())
    claims: dict[str, Any] = {"iss": issuer, "aud": f"{issuer}:refresh", "sub": _user(name), "sid": _session(name), "jti": "1"}
    claims |= {"gen": generation, "iat": now, "exp": now + 86_400}
    token = jwt.encode(claims, REFRESH_KEY.pem, "ES256", {"typ": "rt+jwt", "kid": REFRESH_KEY.kid})
    return Request(REFRESH, "anonymous", "buyer", {"refresh_token": token}, codes=frozenset({"INVALID_REFRESH_TOKEN"}))


def administers(scene: Scene) -> Request:
    """Return the request of an administrator to give roles, to disable somebody or to let them in again: or themselves."""
    what = scene.dice.choice(("PUT /v1/users/{id}/roles", "POST /v1/users/{id}/disable", "POST /v1/users/{id}/enable"))
    body = {"roles": scene.dice.choice((["buyer"], ["manager"], ["admin"]))} if what.startswith("PUT") else {}
    path = {"id": _user(scene.dice.choice(HOUSE))}
    return Request(what, _user("ada"), "admin", body, path=path, codes=frozenset({"LAST_ADMINISTRATOR"}))


def keeps_house(scene: Scene) -> Request:
    """Return the request of somebody to end a session, or to change their name, password or second factor."""
    name = scene.dice.choice(HOUSE[1:])
    fresh = {"current_password": scene.dice.choice(PASSWORDS), "new_password": scene.dice.choice(PASSWORDS)}
    route, body, *codes = scene.dice.choice(
        (
            ("POST /v1/auth/logout", {}),
            ("DELETE /v1/auth/sessions/{id}", {}),
            ("PATCH /v1/users/me", {"name": f"name {scene.number}"}),
            ("POST /v1/auth/password", fresh, "INVALID_CREDENTIALS", "SESSION_NOT_FOUND", "TOO_MANY_ATTEMPTS"),
            ("POST /v1/auth/password/reset", {"email": _email(name)}, "TOO_MANY_ATTEMPTS"),
            (
                "POST /v1/auth/password/reset/confirm",
                {"token": f"{'A' * 22}.{'A' * 43}", "password": PASSWORDS[0]},
                "INVALID_CODE",
            ),
            ("POST /v1/auth/mfa/totp", {}),
            ("POST /v1/auth/mfa/totp/confirm", {"code": "123456"}, "NO_MFA_ENROLMENT", "INVALID_TOTP_CODE"),
            ("DELETE /v1/auth/mfa/totp", {}),
        )
    )
    path = {"id": _session(name)} if "{id}" in route else None
    return Request(route, _user(name), "buyer", body, path=path, codes=frozenset(codes), session=_session(name))


# Who lives here, the first an administrator; nobody else registers with their addresses.
HOUSE = ("ada", "bob", "cleo")


def _user(name: str) -> str:
    return ids.derived("user", name)


def _session(name: str) -> str:
    return ids.derived("session", name)


def move_in() -> None:
    """Let those who live here have accounts, and be logged in."""
    items: list[dict[str, Any]] = [tables.administrators_key() | {"number": 1}]
    for name in HOUSE:
        user = people.user(_email(name), ("admin" if name == "ada" else "buyer",), password_hash=passwords.hashed(PASSWORDS[0]))
        items.append(tables.email_key(_email(name)) | {"user_id": _user(name)})
        items.append(tables.user_key(_user(name)) | user)
        items.append(tables.session_key(_user(name), _session(name)) | people.session())
    batch.put("IdentityTable", items)


def guesses(scene: Scene) -> Request:
    """Return the request of somebody who guesses at the challenge of a login."""
    body = {"mfa_token": f"{'A' * 22}.{'A' * 42}{scene.dice.choice('AEI')}", "code": f"{scene.number % 1_000_000:06}"}
    codes = frozenset({"INVALID_MFA_TOKEN", "TOO_MANY_ATTEMPTS"})
    return Request(VERIFY_SECOND_FACTOR, "anonymous", "buyer", body, codes=codes, succeeds=False)


def accounts_are_one_each(evening: Evening) -> None:
    """Whoever registers, and however often, an address has one account; and administrators are as many as are counted."""
    items = evening.items("IdentityTable")
    users = [item for item in items if tables.is_user(item)]
    guards = {item["pk"]: item["user_id"] for item in items if item["sk"] == "EMAIL"}
    assert set(Counter(user["email"] for user in users).values()) == {1}
    assert guards == {tables.email_key(user["email"])["pk"]: tables.user_id_of(user) for user in users}
    accepted = {sent.request.body["email"] for sent in evening.sent(REGISTER) if sent.succeeded and sent.request.body}
    assert accepted <= {user["email"] for user in users}
    (counted,) = [item["number"] for item in items if item["pk"] == tables.administrators_key()["pk"]]
    assert counted == sum("admin" in user["roles"] and not user["disabled"] for user in users) > 0
