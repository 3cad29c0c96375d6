"""Time that passes only when somebody waits: for a pause, for an answer, for a deadline. No clock of the machine is read."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Self

import botocore.endpoint
import pytest
from botocore.retries.standard import ExponentialBackoff

from tillflow.contexts.stock import shards
from tillflow.runtime import backoff
from tillflow.values import clock

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
_waited = 0.0
# By how many seconds the clock of what runs now is ahead of the time.
skew = 0.0
dice = random.Random(0)  # noqa: S311 - chance that can be had again is the point


class _Moved(datetime):
    """The `datetime` whose present moment is as far after the start as has been waited."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        moment = START + timedelta(seconds=_waited + skew)
        return cls.fromtimestamp(moment.timestamp(), tz or UTC)


def wait(seconds: float) -> None:
    """Let *seconds* pass at once."""
    go_to(_waited + seconds)


def waited() -> float:
    """Return the seconds that have been waited altogether."""
    return _waited


def go_to(waited_seconds: float) -> None:
    """Make it the time when *waited_seconds* have been waited."""
    global _waited  # noqa: PLW0603 - there is one time
    _waited = waited_seconds


def install(patch: pytest.MonkeyPatch) -> None:
    """Put every clock that the product and botocore read on this time, from its start; and the jitter of both on these dice."""
    go_to(0)

    # What `wait` and `dice` are by then: the simulator has others.
    def sleep(seconds: float) -> None:
        wait(seconds)

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * dice.random()

    def randrange(end: int) -> int:
        return int(end * dice.random())

    def sample[T](drawn_from: Sequence[T], _: int) -> list[T]:
        return sorted(drawn_from, key=lambda _: dice.random())

    patch.setattr(clock, "datetime", _Moved)
    patch.setattr(clock, "monotonic", waited)
    patch.setattr(clock, "sleep", sleep)
    patch.setattr(backoff, "random", SimpleNamespace(uniform=uniform))
    patch.setattr(shards, "random", SimpleNamespace(randrange=randrange, sample=sample))
    patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=sleep))
    patch.setattr(ExponentialBackoff, "delay_amount", lambda *_: dice.random())
