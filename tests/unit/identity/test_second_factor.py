"""A login with a second factor: asked for after the password, good once, and never stepped around."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.people import OTHER_PASSWORD, SESSION, Person, member
from tests.world import Answer, World
from tillflow.contexts.identity import passwords, totp, users
from tillflow.contexts.identity.codes import Purpose
from tillflow.values import clock

VERIFY = "POST /v1/auth/mfa/verify"


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time of day: its one member is now, and a test sets it."""
    now = [datetime(2026, 11, 21, 12, tzinfo=UTC)]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    return now


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.json["error_code"]) == (status, code), answer


class Careful(Person):
    """Somebody with an authenticator app."""

    secret: bytes
    recovery: list[str]

    def code(self, steps: int = 0) -> str:
        """Return what the app shows, or showed or will show so many steps from now."""
        return totp.hotp(self.secret, totp.step_of(clock.epoch(clock.now())) + steps)

    def challenge(self) -> str:
        """Show the password, and return the token of the challenge that it is answered with."""
        answer = self.log_in()
        assert answer.status == 200
        assert answer.json == {"mfa_required": True, "mfa_token": answer.json["mfa_token"], "expires_in": 300}
        assert "Set-Cookie" not in answer.headers
        return str(answer.json["mfa_token"])

    def answer(self, code: str, token: str | None = None) -> Answer:
        return self.send(VERIFY, {"mfa_token": token or self.challenge(), "code": code})


@pytest.fixture
def ada(world: World, time: list[datetime]) -> Careful:
    import base64

    person = member(world)
    careful = Careful(world, tokens=person.tokens)
    shown = careful.call("POST /v1/auth/mfa/totp").json
    careful.secret = base64.b32decode(shown["secret"])
    careful.recovery = careful.call("POST /v1/auth/mfa/totp/confirm", {"code": careful.code()}).json["recovery_codes"]
    time[0] += timedelta(seconds=30)  # each of the app's codes is good once
    return careful


def test_the_password_opens_a_challenge_and_the_code_a_session(ada: Careful) -> None:
    answer = ada.answer(ada.code())

    assert (answer.status, answer.json) == (200, SESSION)
    ada.tokens = answer.json
    assert ada.call("GET /v1/users/me").json["mfa_enabled"]


def test_a_code_is_good_once(ada: Careful, time: list[datetime]) -> None:
    assert ada.answer(ada.code()).status == 200
    refused(ada.answer(ada.code()), 401, "INVALID_MFA_CODE")
    refused(ada.answer(ada.code(-1)), 401, "INVALID_MFA_CODE")
    time[0] += timedelta(seconds=30)
    assert ada.answer(ada.code()).status == 200


def test_a_recovery_code_is_good_once(ada: Careful) -> None:
    assert len(ada.recovery) == len(set(ada.recovery)) == 10
    assert ada.answer(ada.recovery[3]).status == 200
    refused(ada.answer(ada.recovery[3]), 401, "INVALID_MFA_CODE")
    assert ada.answer(ada.recovery[4]).status == 200


def test_a_challenge_is_good_once_and_for_five_minutes(ada: Careful, time: list[datetime]) -> None:
    token = ada.challenge()
    assert ada.answer(ada.code(), token).status == 200
    refused(ada.answer(ada.recovery[0], token), 401, "INVALID_MFA_TOKEN")
    late = ada.challenge()
    time[0] += timedelta(minutes=5)
    refused(ada.answer(ada.code(), late), 401, "INVALID_MFA_TOKEN")


def test_a_challenge_takes_five_guesses(ada: Careful, time: list[datetime]) -> None:
    token = ada.challenge()
    statuses = []
    for _ in range(5):
        statuses.append(ada.answer("000000", token).json["error_code"])
        time[0] += timedelta(seconds=1)
    assert statuses == ["INVALID_MFA_CODE"] * 5
    time[0] += timedelta(seconds=30)
    refused(ada.answer(ada.code(), token), 401, "INVALID_MFA_TOKEN")


@pytest.mark.parametrize("token", ["", "A" * 66, f"{'A' * 22}.{'A' * 43}"])
def test_what_is_no_challenge_is_refused(ada: Careful, token: str) -> None:
    answer = ada.send(VERIFY, {"mfa_token": token, "code": ada.code()})

    assert answer.status == (401 if token else 422)


def test_a_password_reset_never_steps_around_it(ada: Careful) -> None:
    ada.send("POST /v1/auth/password/reset", {"email": ada.email})
    ada.send("POST /v1/auth/password/reset/confirm", {"token": ada.mailed(Purpose.RESET), "password": OTHER_PASSWORD})
    ada.password = OTHER_PASSWORD

    assert ada.answer(ada.code()).status == 200


def test_a_challenge_from_before_a_reset_opens_nothing(ada: Careful) -> None:
    token = ada.challenge()
    ada.send("POST /v1/auth/password/reset", {"email": ada.email})
    ada.send("POST /v1/auth/password/reset/confirm", {"token": ada.mailed(Purpose.RESET), "password": OTHER_PASSWORD})

    refused(ada.answer(ada.code(), token), 401, "INVALID_MFA_TOKEN")


def test_who_takes_it_away_has_just_logged_in(ada: Careful, time: list[datetime]) -> None:
    ada.tokens = ada.answer(ada.code()).json
    time[0] += timedelta(minutes=11)
    refused(ada.call("DELETE /v1/auth/mfa/totp"), 401, "FRESH_LOGIN_REQUIRED")
    ada.tokens = ada.answer(ada.code()).json
    assert ada.call("DELETE /v1/auth/mfa/totp").status == 204
    assert ada.log_in().json == SESSION


def test_a_password_is_hashed_anew_before_the_second_factor_too(ada: Careful, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "PASSES", passwords.PASSES + 1)

    assert ada.answer(ada.code()).status == 200

    user = users.find(ada.user_id)
    assert user
    assert not passwords.is_outdated(user.password_hash)


def test_who_has_stolen_the_password_keeps_nobody_s_own_device_out(ada: Careful, time: list[datetime]) -> None:
    cookie = ada.answer(ada.code()).headers["Set-Cookie"].partition(";")[0]
    time[0] += timedelta(seconds=30)
    thief = Careful(ada.world, address="198.51.100.66")
    told = [thief.answer("000000").status for _ in range(7)]

    assert 429 in told
    answer = ada.send(VERIFY, {"mfa_token": ada.challenge(), "code": ada.code()}, headers={"Cookie": cookie})
    assert answer.status == 200
