"""The commands of second factors and mails: no factor by halves, no code good twice, and the mail comes."""

import base64
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.faults import accounts
from tests.faults.accounts import EMAIL, PASSWORD, post, sessions, user_id, users
from tests.faults.client import Refused, send
from tests.faults.command import Command
from tests.faults.world import World
from tests.simulation.plays import accounts as living
from tests.simulation.scene import Play
from tillflow.contexts.identity import totp
from tillflow.contexts.identity.codes import Purpose
from tillflow.values import clock

_MAILED = {"identity.mail_requested.v1": 1}
ENROL, CONFIRM, REMOVE = "POST /v1/auth/mfa/totp", "POST /v1/auth/mfa/totp/confirm", "DELETE /v1/auth/mfa/totp"
_PART = frozenset({"identity/enrol_totp", "identity/confirm_totp", "identity/remove_totp"})


def _own(world: World, route: str, **body: object) -> dict[str, Any]:
    return send(world, route, body, role="buyer", user=user_id(world), session_id="a-session")


def _code(secret: str, steps: int = 0) -> str:
    return totp.hotp(base64.b32decode(secret), totp.step_of(clock.epoch(clock.now())) + steps)


def _set_up(world: World) -> tuple[str, list[str]]:
    secret = _own(world, ENROL)["secret"]
    return secret, _own(world, CONFIRM, code=_code(secret))["recovery_codes"]


def _run(world: World) -> None:
    """Set a factor up, and log in with it: a client that hears no answer asks again, and begins anew where that is refused."""
    secret, codes = _set_up(world)
    _show(world, lambda: _code(secret, 1))
    _show(world, lambda: codes[0])
    world.drain()


def _show(world: World, code: Callable[[], str]) -> None:
    for _ in range(3):
        challenge = post("login", email=EMAIL, password=PASSWORD)(world)
        with suppress(Refused):  # the answer was lost, and the code is used: the next of the app is good
            post("mfa/verify", mfa_token=challenge["mfa_token"], code=code())(world)
            return
        world.pass_time(30)


def _is_spent(world: World) -> None:
    """Each session was for a challenge and a code of its own: none is good again, and the rest is whole."""
    (user,) = users(world)
    challenges = [item for item in world.items("IdentityTable") if item.get("purpose") == Purpose.MFA and "used_at" in item]
    assert len(sessions(world)) == len(challenges)
    assert len(user["recovery"]) in {9, 10}
    assert len(user["recovery"]) == 9 or len(challenges) == 1


def _with_factor(world: World) -> None:
    accounts.member(world)
    _set_up(world)


def _remove(world: World) -> None:
    _own(world, REMOVE)


def _has_none(world: World) -> None:
    (user,) = users(world)
    assert not {"totp", "recovery", "totp_pending"} & user.keys()
    accounts.opens(PASSWORD)(world)


def _mail(world: World) -> None:
    accounts.register(world)
    world.drain()


def _mail_has_come(world: World) -> None:
    """Every mail's link is the good one; there is one, or where SES's answer was lost the same once more."""
    texts = [mail["Content"]["Simple"]["Body"]["Text"]["Data"] for mail in world.mails]
    tokens = {token for text in texts for token in re.findall(r"[?]token=(\S+)", text)}
    code = [item for item in world.items("IdentityTable") if item["sk"] == "CODE"]
    assert len(tokens) == len(code)
    assert accounts.mailed(world, Purpose.VERIFY) in tokens
    assert 1 <= len(texts) <= 3


COMMANDS = (
    Command(
        "log in with a second factor",
        _run,
        accounts.member,
        events=_MAILED,
        also=_is_spent,
        breaks=frozenset({"identity/verify_second_factor", "identity/enrol_totp", "identity/confirm_totp"}),
        plays=Play(living.guesses, often=2),
    ),
    Command("remove a second factor", _remove, _with_factor, events=_MAILED, also=_has_none, breaks=_PART),
    Command(
        "send a mail",
        _mail,
        events=_MAILED,
        also=_mail_has_come,
        breaks=frozenset({"identity/on_mail_requested"}),
    ),
)
