"""What is tried again, after which pauses, and for how long."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from tillflow_client import ApiError, BadRequest, Forbidden, NoAnswer, Retry, ServerFailed, TooManyRequests, retrying
from tillflow_client.errors import refusal
from tillflow_client.wire import Answer, Pause, Reply, Request, Silence

REQUEST = Request("GET", "/here")
FINE = Answer(200, {}, b"{}")
BROKEN = Answer(503, {}, b'{"error_code": "UNAVAILABLE", "message": "Later.", "request_id": "r-1"}')


@dataclass
class Time:
    """A clock that only pauses move."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Pauses are as long as they may be."""
    clock = Time()
    monkeypatch.setattr("tillflow_client.retrying.time.monotonic", clock.monotonic)
    monkeypatch.setattr("tillflow_client.retrying.random.uniform", lambda _low, high: high)
    return clock


def asked(time: Time, replies: Iterable[Reply], retry: Retry) -> Answer:
    """Return what comes of a request that is answered so."""
    flow = retrying.ask(REQUEST, retrying.Tries(retry))
    coming = iter(replies)
    effect = next(flow)
    try:
        while True:
            if isinstance(effect, Pause):
                time.now += effect.seconds
                time.pauses.append(effect.seconds)
                effect = flow.send(None)
            else:
                effect = flow.send(next(coming))
    except StopIteration as end:
        answer: Answer = end.value
        return answer


def test_pauses_double_up_to_the_longest(time: Time) -> None:
    replies: list[Reply] = [BROKEN, Silence("refused"), BROKEN, BROKEN, BROKEN, FINE]

    assert asked(time, replies, Retry(total=60, first=1, longest=5)) == FINE

    assert time.pauses == [1, 2, 4, 5, 5]


def test_a_pause_is_a_random_part_of_its_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tillflow_client.retrying.random.uniform", lambda low, high: low + high / 4)

    assert retrying.jittered(1, 60, 3) == 2
    assert retrying.jittered(1, 60, 10_000) == 15


def test_what_the_server_asks_for_is_waited_for_and_a_random_part_more(time: Time) -> None:
    throttled = Answer(429, {"Retry-After": "7"}, b"{}")

    asked(time, [throttled, FINE], Retry(total=60, first=1))

    assert time.pauses == [8]


@pytest.mark.parametrize("said", ["", "soon", "-5", "²", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_retry_after_that_is_no_number_of_seconds_is_none(said: str) -> None:
    assert refusal(429, {}, said).retry_after == 0


def test_it_ends_in_time_with_the_server_s_own_words(time: Time) -> None:
    with pytest.raises(ServerFailed, match=r"503 UNAVAILABLE: Later\. \(request r-1\)"):
        asked(time, [BROKEN] * 100, Retry(total=10, first=1, longest=4))

    assert time.pauses == [1, 2, 4]  # the next would end at 11


def test_a_pause_that_the_server_asks_for_and_there_is_no_time_for_is_not_begun(time: Time) -> None:
    with pytest.raises(TooManyRequests):
        asked(time, [Answer(429, {"Retry-After": "3600"}, b"{}")], Retry())

    assert time.pauses == []


def test_silence_to_the_end_is_an_error_of_its_own(time: Time) -> None:
    with pytest.raises(NoAnswer, match="ConnectError: refused"):
        asked(time, [Silence("ConnectError: refused")] * 100, Retry(total=1))


@pytest.mark.parametrize(("status", "kind"), [(400, BadRequest), (403, Forbidden), (422, BadRequest), (418, ApiError)])
def test_what_can_never_succeed_is_not_tried_again(time: Time, status: int, kind: type[ApiError]) -> None:
    with pytest.raises(kind) as raised:
        asked(time, [Answer(status, {}, b"no JSON")], Retry())

    assert (raised.value.error_code, raised.value.status) == (f"HTTP_{status}", status)
    assert raised.value.request_id is None


def test_every_status_has_its_error() -> None:
    again = {status for status in range(400, 600) if refusal(status, {}).again}

    assert again == {408, 429, *range(500, 600)}
