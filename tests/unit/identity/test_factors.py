"""The second factor: what is right opens once, what is kept opens nothing, and nobody's is another's."""

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.world import World
from tillflow.contexts.identity import factors, tables, totp, users
from tillflow.contexts.identity.refusals import InvalidFactorCode, NoEnrolment, UserNotFound
from tillflow.contexts.identity.users import User
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved
from tillflow.storage.commit import Commit
from tillflow.values import clock, ids

type Pass = Callable[[float], None]


@pytest.fixture(autouse=True)
def wait(world: World, monkeypatch: pytest.MonkeyPatch) -> Pass:
    """Stop the clock; what this returns lets seconds pass."""
    del world
    now = [clock.parse("2026-11-21T12:00:00Z")]
    monkeypatch.setattr(clock, "now", lambda: now[0])

    def go_on(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)

    return go_on


def why() -> Cause:
    return Cause("somebody", (), ids.new())


def made(email: str = "ada@example.com") -> str:
    """Make a user, and return their id."""
    user = User(ids.new(), email, "Ada", ("buyer",), "a hash", True, False, 0, clock.iso(clock.now()))
    commit = Commit(why())
    users.add(commit, user)
    commit.write()
    return user.user_id


def secret_of(answer: dict[str, str]) -> bytes:
    return base64.b32decode(answer["secret"])


def code_of(secret: bytes, steps: int = 0) -> str:
    """Return what an app shows now, or some *steps* later."""
    return totp.hotp(secret, totp.step_of(clock.epoch(clock.now())) + steps)


def enrolled(user_id: str) -> tuple[bytes, list[str]]:
    """Give a user a second factor; return its secret and the recovery codes."""
    secret = secret_of(factors.enrol(user_id, why()))
    return secret, factors.confirm(user_id, code_of(secret), why())


def used(user_id: str, code: str) -> bool:
    """Show a code and spend it, as a login does."""
    if (shown := factors.check(users.get(user_id), code, clock.now())) is None:
        return False
    commit = Commit(why())
    shown.spend(commit)
    commit.write()
    return True


def test_a_user_has_no_second_factor_before_it_is_confirmed() -> None:
    user_id = made()
    answer = factors.enrol(user_id, why())

    assert set(answer) == {"secret", "otpauth_uri", "qr_svg"}
    assert answer["secret"] in answer["otpauth_uri"]
    assert answer["qr_svg"].startswith("<svg")
    assert len(secret_of(answer)) == 20
    assert not users.get(user_id).mfa_enabled
    assert factors.check(users.get(user_id), code_of(secret_of(answer)), clock.now()) is None


def test_a_confirmed_factor_s_codes_are_each_good_once(wait: Pass) -> None:
    user_id = made()
    secret, _ = enrolled(user_id)

    assert users.get(user_id).mfa_enabled
    assert not used(user_id, code_of(secret)), "it was used to confirm"
    assert used(user_id, code_of(secret, 1))
    assert not used(user_id, code_of(secret, 1))
    assert not used(user_id, code_of(secret))
    wait(30)
    assert not used(user_id, code_of(secret))
    wait(30)
    assert used(user_id, f" {code_of(secret)} ")


def test_ten_recovery_codes_are_each_good_once_however_they_are_typed() -> None:
    user_id = made()
    _, codes = enrolled(user_id)

    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([A-Z2-7]{4}-){5}[A-Z2-7]{4}", code) for code in codes)
    for code, typed in zip(codes, (codes[0], codes[1].lower(), codes[2].replace("-", " "), *codes[3:]), strict=True):
        assert used(user_id, typed)
        assert not used(user_id, code)


@pytest.mark.parametrize("code", ["", "0", "12345", "1234567", "a", "A" * 24, "\ud800", "\u0660" * 6, "x" * 9999], ids=ascii)
def test_anything_else_is_no_code(code: str) -> None:
    user_id = made()
    enrolled(user_id)

    assert factors.check(users.get(user_id), code, clock.now()) is None


def test_of_two_that_show_one_code_at_once_one_is_let_in() -> None:
    user_id = made()
    secret, codes = enrolled(user_id)
    for code in (code_of(secret, 1), codes[0]):
        both = [factors.check(users.get(user_id), code, clock.now()) for _ in range(2)]
        commits = [Commit(why()) for _ in both]
        for shown, commit in zip(both, commits, strict=True):
            assert shown
            shown.spend(commit)

        commits[0].write()
        with pytest.raises(Moved):
            commits[1].write()


@pytest.mark.parametrize("change", [{"disabled": True}, {"epoch": 1}], ids=str)
def test_a_code_lets_nobody_in_whose_account_was_changed_meanwhile(change: dict[str, Any]) -> None:
    user_id = made()
    secret, _ = enrolled(user_id)
    shown = factors.check(users.get(user_id), code_of(secret, 1), clock.now())
    meanwhile = Commit(why())
    users.change(meanwhile, users.get(user_id), **change)
    meanwhile.write()

    commit = Commit(why())
    assert shown
    shown.spend(commit)
    with pytest.raises(Moved):
        commit.write()


def test_what_is_kept_shows_neither_secret_nor_code(world: World) -> None:
    user_id = made()
    secret, codes = enrolled(user_id)

    (item,) = (item for item in world.items("IdentityTable") if item["sk"] == "USER" and item["email"] == "ada@example.com")
    kept = str(item)
    assert repr(secret)[2:-1] not in kept
    assert totp.shown(secret) not in kept
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]


def test_a_secret_opens_in_its_own_user_s_item_alone(world: World) -> None:
    hers, his = made(), made("bob@example.com")
    secret, _ = enrolled(hers)
    enrolled(his)
    totp_of_hers = users.get(hers).factor["totp"]
    commit = Commit(why())
    users.change(commit, users.get(his), totp=totp_of_hers)
    commit.write()

    with pytest.raises(Exception, match="InvalidCiphertext"):
        used(his, code_of(secret, 1))
    del world


def test_who_asks_for_another_keeps_theirs_until_the_other_is_confirmed(wait: Pass) -> None:
    user_id = made()
    old, old_codes = enrolled(user_id)
    new = secret_of(factors.enrol(user_id, why()))
    assert used(user_id, code_of(old, 1))

    codes = factors.confirm(user_id, code_of(new), why())

    wait(60)
    assert not used(user_id, code_of(old))
    assert not used(user_id, old_codes[0])
    assert used(user_id, code_of(new))
    assert used(user_id, codes[0])


def test_a_confirmation_whose_answer_was_lost_is_sent_again_for_other_recovery_codes(wait: Pass) -> None:
    user_id = made()
    secret, lost = enrolled(user_id)
    assert used(user_id, code_of(secret, 1))
    told = factors.confirm(user_id, code_of(secret), why())

    assert not used(user_id, lost[0])
    assert used(user_id, told[0])
    assert not used(user_id, code_of(secret, 1)), "a code that was used became good again"
    wait(15 * 60)
    with pytest.raises(NoEnrolment):
        factors.confirm(user_id, code_of(secret), why())


def test_what_was_never_asked_for_or_too_long_ago_is_not_confirmed(wait: Pass) -> None:
    user_id = made()
    with pytest.raises(NoEnrolment):
        factors.confirm(user_id, "123456", why())
    secret = secret_of(factors.enrol(user_id, why()))
    with pytest.raises(InvalidFactorCode):
        factors.confirm(user_id, code_of(b"x" * 20), why())
    wait(15 * 60)
    with pytest.raises(NoEnrolment):
        factors.confirm(user_id, code_of(secret), why())


def test_nothing_is_left_of_what_is_removed_and_removing_it_twice_is_no_error() -> None:
    user_id = made()
    secret, codes = enrolled(user_id)
    for _ in range(2):
        factors.remove(user_id, why())

    assert users.get(user_id).factor == {}
    assert not used(user_id, code_of(secret, 1))
    assert not used(user_id, codes[0])
    with pytest.raises(NoEnrolment):
        factors.confirm(user_id, code_of(secret, 1), why())


@pytest.mark.parametrize("act", [factors.enrol, factors.remove, lambda user_id, cause: factors.confirm(user_id, "123456", cause)])
def test_who_is_no_user_has_no_factor(act: Callable[[str, Cause], object]) -> None:
    with pytest.raises(UserNotFound):
        act("a-service", why())
    assert tables.user_key("a-service")
