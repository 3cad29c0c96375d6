"""Trying again: jittered, bounded, in time."""

import random

import pytest

from tillflow.runtime import backoff, deadline
from tillflow.values import clock


class Time:
    """A clock that only sleeping moves."""

    def __init__(self, left: float) -> None:
        self.left = left
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.left -= seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """An hour, and the longest pauses that there may be."""
    moving = Time(3600)
    monkeypatch.setattr(clock, "sleep", moving.sleep)
    monkeypatch.setattr(deadline, "remaining", lambda: moving.left)
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)
    return moving


def test_the_first_attempt_is_made_at_once_even_when_time_is_short(time: Time) -> None:
    time.left = 0

    assert len(list(backoff.attempts(seconds=12))) == 1
    assert time.pauses == []


def test_pauses_double_up_to_the_longest(time: Time) -> None:
    assert len(list(backoff.attempts(8, seconds=1, first=0.1, longest=2))) == 8
    assert time.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2, 2]


def test_attempts_end(time: Time) -> None:
    assert len(list(backoff.attempts(seconds=1))) == backoff.MOST
    assert max(time.pauses) == 1


def test_a_pause_is_a_random_part_of_its_longest(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: low + (high - low) / 4)

    list(backoff.attempts(3, seconds=1, first=0.1))

    assert time.pauses == [0.025, 0.05]


def test_no_attempt_begins_that_would_not_end_in_time(time: Time) -> None:
    # GIVEN 1.2 s left, of which an attempt may take 1 s
    time.left = 1.2

    # WHEN attempts fail, the pause of 0.1 s fits and the next one of 0.2 s does not
    assert len(list(backoff.attempts(seconds=1, first=0.1))) == 2
    assert time.pauses == [0.1]
