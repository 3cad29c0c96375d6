"""The commands of identity: what befalls them leaves no half session, no code used up for nothing, no second administrator."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.faults.client import Refused, send
from tests.faults.command import Act, Command
from tests.faults.wire import Gone
from tests.faults.world import CART_SECRET, World
from tests.simulation.plays import accounts as living
from tests.simulation.scene import Play
from tillflow.contexts.identity import codes, tables
from tillflow.contexts.identity.codes import Purpose
from tillflow.storage.attributes import Item

PASSWORD, OTHER = "a lamp on the green desk", "two lamps on the brown desk"
EMAIL, ADMIN = "ada@example.com", "admin@example.com"
_MAIL = "identity.mail_requested.v1"
_MAILED = {_MAIL: 1}
_ANEW = frozenset({_MAIL})
_ROLES = "PUT /v1/users/{id}/roles"


def post(path: str, **body: object) -> Callable[[World], dict[str, Any]]:
    """Return what sends a request that needs no credential, and hears its answer."""
    return lambda world: send(world, f"POST /v1/auth/{path}", dict(body), role="buyer")


def _once(act: Callable[[World], object]) -> Act:
    """Do it; where it was done before an answer was lost, the second time is refused."""

    def run(world: World) -> None:
        with suppress(Refused):
            act(world)
        world.drain()

    return run


def users(world: World) -> list[Item]:
    """Return every user."""
    return [item for item in world.items("IdentityTable") if item["sk"] == "USER"]


def user_id(world: World, email: str = EMAIL) -> str:
    """Return the id of whoever has an address."""
    (user,) = [each for each in users(world) if each["email"] == email]
    return str(user["pk"]).removeprefix("USER#")


def sessions(world: World) -> list[Item]:
    """Return every session that was not revoked."""
    return [item for item in all_sessions(world) if "revoked_at" not in item]


def all_sessions(world: World) -> list[Item]:
    """Return every session there ever was."""
    return [item for item in world.items("IdentityTable") if "authenticated_at" in item]


def mailed(world: World, purpose: Purpose) -> str:
    """Return the token of a link of this kind that was mailed last."""
    found = [item for item in world.items("IdentityTable") if item.get("purpose") == purpose]
    newest = max(found, key=lambda item: int(item["expires_at"]))
    # As the mail's consumer makes it, who asks Secrets Manager: that is not for a test to do in between.
    return codes.sealed(CART_SECRET.encode(), tables.code_id_of(newest), purpose, newest["user_id"])


register = post("register", email=EMAIL, password=PASSWORD, name="Ada")


def log_in(password: str = PASSWORD, email: str = EMAIL) -> Callable[[World], dict[str, Any]]:
    """Return what logs somebody in."""
    return post("login", email=email, password=password)


def _registered(world: World) -> None:
    register(world)
    world.drain()


def _verify(world: World) -> None:
    post("email/verify", token=mailed(world, Purpose.VERIFY))(world)


def member(world: World) -> None:
    """Let Ada have an account."""
    _registered(world)
    _verify(world)


def _logged_in(world: World) -> None:
    member(world)
    log_in()(world)


def _own(route: str, **body: object) -> Callable[[World], object]:
    """Return what sends a request in Ada's one session."""

    def act(world: World) -> object:
        (session,) = all_sessions(world)
        session_id = tables.session_id_of(session)
        path = {"id": session_id} if "{id}" in route else None
        return send(world, route, body, role="buyer", user=user_id(world), session_id=session_id, path=path)

    return act


def _administer(route: str, **body: object) -> Act:
    """Change Ada as an administrator does: asked again, it is as it is."""

    def run(world: World) -> None:
        send(world, route, body, role="admin", path={"id": user_id(world)})
        world.drain()

    return run


def _bootstrap(world: World) -> None:
    for _ in range(10):
        with suppress(Gone, Exception):
            world.invoke("identity/create_first_administrator", {"email": ADMIN, "password": PASSWORD, "name": "Admin"})
            return


def _two_administrators(world: World) -> None:
    member(world)
    _bootstrap(world)
    _administer(_ROLES, roles=["admin"])(world)


def _refresh(world: World) -> None:
    """Refresh twice: the second with what the first was answered."""
    token = log_in()(world)["refresh_token"]
    for _ in range(2):
        token = post("refresh", refresh_token=token)(world)["refresh_token"]
    world.drain()


def _ask_for_reset(world: World) -> None:
    post("password/reset", email=EMAIL)(world)
    world.drain()


def _may_reset(world: World) -> None:
    _logged_in(world)
    _ask_for_reset(world)


def _reset(world: World) -> None:
    post("password/reset/confirm", token=mailed(world, Purpose.RESET), password=OTHER)(world)


def opens(password: str, email: str = EMAIL) -> Act:
    """Return the check that this password opens an account, and that nothing is half done there."""

    def also(world: World) -> None:
        tokens = log_in(password, email)(world)
        assert post("refresh", refresh_token=tokens["refresh_token"])(world)["access_token"]
        _administrators_are_counted(world)

    return also


def _is_verified(world: World) -> None:
    """A link that was used has had its effect."""
    (user,) = users(world)
    used = [item for item in world.items("IdentityTable") if item["sk"] == "CODE" and "used_at" in item]
    assert (len(used), user["email_verified"]) == (1, True)
    opens(PASSWORD)(world)


def _is_registered(world: World) -> None:
    """There is one user, and the newest mail's link makes the account good."""
    assert [user["email"] for user in users(world)] == [EMAIL]
    _verify(world)
    opens(PASSWORD)(world)


def _has_sessions(*numbers: int) -> Act:
    def also(world: World) -> None:
        assert len(sessions(world)) in numbers
        opens(PASSWORD)(world)

    return also


def _only_its_own_session_stays(world: World) -> None:
    (user,) = users(world)
    assert (user["epoch"], [each["epoch"] for each in sessions(world)]) == (1, [1])
    opens(OTHER)(world)


def _every_session_is_over(world: World) -> None:
    (user,) = users(world)
    assert (user["epoch"], [each["epoch"] for each in sessions(world)]) == (1, [0])
    opens(OTHER)(world)


def _administrators_are_counted(world: World) -> None:
    there = [user for user in users(world) if "admin" in user["roles"] and not user["disabled"]]
    counted = [item["number"] for item in world.items("IdentityTable") if item["pk"] == "ADMINISTRATORS"]
    assert counted == ([len(there)] if counted else [])


def _ada_is(**what: object) -> Act:
    def also(world: World) -> None:
        (ada,) = [user for user in users(world) if user["email"] == EMAIL]
        assert {name: ada[name] for name in what} == what
        _administrators_are_counted(world)

    return also


COMMANDS = (
    Command(
        "register",
        _once(register),
        events=_MAILED,
        anew=_ANEW,
        also=_is_registered,
        plays=Play(living.registers, often=3, holds=living.accounts_are_one_each),
    ),
    Command(
        "register again before the mail is opened", _once(register), _registered, events=_MAILED, anew=_ANEW, also=_is_registered
    ),
    Command("register an address that is taken", _once(register), member, events=_MAILED, anew=_ANEW, also=opens(PASSWORD)),
    Command(
        "verify an address", _once(_verify), _registered, events=_MAILED, also=_is_verified, plays=Play(living.verifies, often=3)
    ),
    Command("log in", _once(log_in()), member, events=_MAILED, also=_has_sessions(1, 2), plays=Play(living.logs_in, often=3)),
    Command("log in with a wrong password", _once(log_in(OTHER)), member, events=_MAILED, also=_has_sessions(0)),
    Command(
        "refresh a session", _refresh, member, events=_MAILED, also=_has_sessions(1, 2), plays=Play(living.refreshes, often=3)
    ),
    Command(
        "log out",
        _once(_own("POST /v1/auth/logout")),
        _logged_in,
        events=_MAILED,
        also=_has_sessions(0),
        plays=Play(living.keeps_house, often=6),
    ),
    Command("end a session", _once(_own("DELETE /v1/auth/sessions/{id}")), _logged_in, events=_MAILED, also=_has_sessions(0)),
    Command(
        "change a password",
        _once(_own("POST /v1/auth/password", current_password=PASSWORD, new_password=OTHER)),
        _logged_in,
        events=_MAILED,
        also=_only_its_own_session_stays,
    ),
    Command(
        "change a name",
        _once(_own("PATCH /v1/users/me", name="Ada King")),
        _logged_in,
        events=_MAILED,
        also=_ada_is(name="Ada King"),
    ),
    Command("ask for a reset", _ask_for_reset, member, events=_MAILED, anew=_ANEW, also=opens(PASSWORD)),
    Command("reset a password", _once(_reset), _may_reset, events={_MAIL: 2}, also=_every_session_is_over),
    Command("ask for a reset of nobody's", _ask_for_reset),
    Command(
        "give roles",
        _administer(_ROLES, roles=["manager"]),
        member,
        events=_MAILED,
        also=_ada_is(roles=["manager"]),
        plays=Play(living.administers, often=3),
    ),
    Command(
        "take an administrator's roles",
        _administer(_ROLES, roles=[]),
        _two_administrators,
        events=_MAILED,
        also=_ada_is(roles=[]),
    ),
    Command(
        "disable a user",
        _administer("POST /v1/users/{id}/disable"),
        _two_administrators,
        events=_MAILED,
        also=_ada_is(disabled=True),
    ),
    Command("enable a user", _administer("POST /v1/users/{id}/enable"), member, events=_MAILED, also=_ada_is(disabled=False)),
    Command("make the first administrator", _bootstrap, also=opens(PASSWORD, ADMIN)),
)
