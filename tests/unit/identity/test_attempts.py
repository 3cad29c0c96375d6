"""Attempts: counted before the work, given back on success; a stranger's never keep anybody else out."""

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import Mock

import pytest
from botocore.exceptions import ConnectTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from tests.world import World
from tillflow.contexts.identity import attempts
from tillflow.contexts.identity.attempts import TooManyAttempts
from tillflow.runtime import aws
from tillflow.values import clock
from tillflow.values.throttle import Backoff, Bucket, Full, Kept, Limit

ADA, BOB = "ada@example.com", "bob@example.com"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.9"

type Pass = Callable[[float], None]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Pass:
    """Stop the clock; what this returns lets seconds pass."""
    now = [clock.parse("2026-11-21T12:00:00Z")]
    monkeypatch.setattr(clock, "now", lambda: now[0])

    def go_on(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)

    return go_on


def wait_told(act: Callable[[], object]) -> int:
    """Return how many seconds an attempt is told to wait; 0 where it goes on."""
    try:
        act()
    except TooManyAttempts as error:
        return int(error.headers["Retry-After"])
    return 0


def guess(account: str = ADA, address: str = HOME, device: str | None = None) -> int:
    return wait_told(lambda: attempts.login(account, address, device))


# --- limits ---------------------------------------------------------------------------------------------------------


def played(limit: Limit, pauses: list[int]) -> list[tuple[int, int]]:
    """Return what tries after these *pauses* (ms) were told: when, and how long to wait (0: they went on)."""
    kept: Kept | None = None
    now, told = 1_700_000_000_000, []
    for pause in pauses:
        now += pause
        try:
            kept = limit.taken(kept, now)
            told.append((now, 0))
        except Full as full:
            told.append((now, full.wait))
            before = kept
            with pytest.raises(Full):
                limit.taken(before, now + full.wait - 1)
            limit.taken(before, now + full.wait)  # it told how long exactly
    return told


@given(st.integers(1, 20), st.integers(1, 60), st.lists(st.integers(0, 30_000), max_size=120))
def test_a_bucket_takes_its_most_at_once_and_as_many_in_its_seconds(most: int, seconds: int, pauses: list[int]) -> None:
    told = played(Bucket(most, seconds), pauses)
    each, taken = seconds * 1000 // most, [at for at, wait in told if wait == 0]

    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= most + (taken[last] - taken[first]) // each + 1 - (taken[last] == taken[first])
    for at, wait in told:
        assert not wait or sum(at - seconds * 1000 < each <= at for each in taken) >= most // 2
        assert wait <= each


@given(st.lists(st.one_of(st.just(0), st.integers(0, 2_000_000)), max_size=60))
def test_after_five_tries_each_other_waits_twice_as_long_up_to_a_quarter_of_an_hour(pauses: list[int]) -> None:
    taken = [at for at, wait in played(Backoff(), pauses) if wait == 0]

    for number in range(5, len(taken)):
        assert taken[number] - taken[number - 1] >= min(2 ** (number - 5), 900) * 1000


@given(st.sampled_from([Bucket(5, 3600), Bucket(1000, 60), Backoff()]), st.integers(0, 10**7))
def test_what_was_kept_too_long_is_as_if_nothing_had_been(limit: Limit, later: int) -> None:
    now = 1_700_000_000_000
    kept = limit.taken(None, now)
    after = kept["expires_at"] * 1000 + later

    assert limit.taken(kept, after) == limit.taken(None, after)


# --- logins ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_five_guesses_are_free_then_each_waits_twice_as_long(wait: Pass) -> None:
    assert [guess() for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    for pause in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        assert guess() == pause
        wait(pause - 0.001)
        assert guess() == 1
        wait(0.001)
        assert guess() == 0
    assert guess(address=ELSEWHERE) == 0
    assert guess(account=BOB) == 0


@pytest.mark.usefixtures("world")
def test_who_succeeds_may_make_mistakes_again(wait: Pass) -> None:
    for _ in range(4):
        assert guess() == 0
    attempts.login(ADA, HOME, None).give_back()

    assert [guess() for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    wait(1)
    attempts.login(ADA, HOME, None).give_back()
    assert guess() == 0


@pytest.mark.usefixtures("world", "wait")
def test_an_account_is_guessed_at_fifty_times_an_hour_whatever_the_address() -> None:
    assert [guess(address=f"203.0.113.{number}") for number in range(50)] == [0] * 50

    assert guess(address=ELSEWHERE) == 72
    assert guess(account=BOB, address=ELSEWHERE) == 0


@pytest.mark.usefixtures("world", "wait")
def test_a_device_that_has_logged_in_before_is_not_kept_out_by_strangers() -> None:
    for number in range(75):
        guess(address=HOME if number % 3 else f"203.0.113.{number}")
    for number in range(75, 125):
        guess(address=f"203.0.113.{number}")
    assert guess(address="203.0.113.251")
    assert guess(address=HOME)

    assert [guess(device="hers") for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert guess(device="another of hers") == 0


@pytest.mark.usefixtures("world", "wait")
def test_an_address_has_thirty_a_minute_for_whatever_costs_much() -> None:
    def ask() -> None:
        attempts.by_address(HOME)

    assert [wait_told(ask) for _ in range(20)] == [0] * 20
    assert [guess(account=f"{number}@example.com") for number in range(10)] == [0] * 10

    assert (guess(account=BOB), wait_told(ask)) == (2, 2)
    assert guess(account=BOB, address=ELSEWHERE) == 0


@pytest.mark.usefixtures("world", "wait")
def test_what_succeeds_costs_its_address_and_its_account_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGIN_ATTEMPTS_PER_ADDRESS", "2")
    monkeypatch.setenv("LOGIN_ATTEMPTS_PER_ACCOUNT", "2")
    for number in range(5):
        attempts.login(f"{number}@example.com", HOME, None).give_back()
        attempts.login(ADA, f"203.0.113.{number}", None).give_back()

    assert guess() == 0


@pytest.mark.usefixtures("wait")
def test_what_is_refused_by_one_limit_counts_against_none(world: World) -> None:
    for _ in range(5):
        guess()
    before = world.items("IdentityTable")

    assert guess() == 1

    assert world.items("IdentityTable") == before


@pytest.mark.usefixtures("world", "wait")
@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:DB8:0001:0002::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("test-invoke-source-ip", "test-invoke-source-ip", True),
    ],
)
def test_an_ipv6_customer_is_one_address(one: str, other: str, *, is_one: bool) -> None:
    for _ in range(5):
        guess(address=one)

    assert bool(guess(address=other)) is is_one


@pytest.mark.usefixtures("wait")
def test_of_who_tries_only_a_digest_is_kept_and_not_for_long(world: World) -> None:
    guess()
    attempts.may_mail("reset", ADA)
    items = [item for item in world.items("IdentityTable") if item["pk"].startswith("rate:")]

    assert {item["pk"].split(":")[1] for item in items} == {"account", "ip", "mail", "pair"}
    assert not [item for item in items if "ada" in str(item)]
    assert all(0 < item["expires_at"] - clock.epoch(clock.now()) <= 24 * 60 * 60 for item in items)


@pytest.mark.usefixtures("world", "wait")
@pytest.mark.parametrize("account", ["", "x" * 10_000, "\ud800", "ünï@çödé", "a:b"], ids=ascii)
def test_whatever_is_sent_as_an_address_is_counted(account: str) -> None:
    assert [guess(account) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


# --- and what else is counted ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("world", "wait")
def test_a_second_factor_is_counted_for_itself() -> None:
    def try_code() -> None:
        attempts.second_factor("user-1", None)

    assert [wait_told(try_code) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert guess() == 0
    assert wait_told(lambda: attempts.second_factor("user-2", None)) == 0


@pytest.mark.usefixtures("world")
def test_a_mailbox_gets_five_mails_an_hour(wait: Pass) -> None:
    assert [attempts.may_mail("reset", ADA) for _ in range(7)] == [True] * 5 + [False] * 2
    assert attempts.may_mail("reset", BOB)
    wait(720)
    assert [attempts.may_mail("reset", ADA) for _ in range(2)] == [True, False]


@pytest.mark.usefixtures("world", "wait")
def test_the_limits_are_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGIN_ATTEMPTS_PER_ADDRESS", "2")
    monkeypatch.setenv("LOGIN_ATTEMPTS_PER_ACCOUNT", "1")
    monkeypatch.setenv("MAILS_PER_ADDRESS", "1")

    assert (guess(), guess(address=ELSEWHERE)) == (0, 3600)
    assert (guess(BOB), guess("carl@example.com")) == (0, 30)
    assert [attempts.may_mail("reset", ADA) for _ in range(2)] == [True, False]


@pytest.mark.usefixtures("world")
def test_what_cannot_be_given_back_is_no_reason_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "sleep", lambda _: None)
    taken = attempts.login(ADA, HOME, None)
    error = ConnectTimeoutError(endpoint_url="https://dynamodb")
    monkeypatch.setattr(aws.client("dynamodb"), "transact_write_items", Mock(side_effect=error))

    taken.give_back()


@pytest.mark.parametrize(("device", "calls"), [(None, ["TransactWriteItems"]), ("d", ["UpdateItem"])])
@pytest.mark.usefixtures("world")
def test_a_login_s_counters_are_two_calls(device: str | None, calls: list[str]) -> None:
    made: list[str] = []
    hooks = aws.client("dynamodb").meta.events

    def note(model: object, **_: object) -> None:
        made.append(str(getattr(model, "name", "")))

    # Before the tables' own answer, which stands for the call.
    hooks.register_first("before-call.dynamodb", note)
    try:
        attempts.login(ADA, HOME, device)
    finally:
        hooks.unregister("before-call.dynamodb", note)

    assert made == ["BatchGetItem", *calls]
