"""Time that passes only when somebody waits: for a pause, for an answer that does not come, for a deadline."""

import time
from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Self

import botocore.endpoint
import pytest

from tillflow.values import clock

_offset = 0.0


class _Moved(datetime):
    """The `datetime` whose present moment is as far ahead as has been waited."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        moment = datetime.now(tz or UTC) + timedelta(seconds=_offset)
        return cls.fromtimestamp(moment.timestamp(), tz or UTC)


def wait(seconds: float) -> None:
    """Let *seconds* pass at once."""
    global _offset  # noqa: PLW0603 - there is one time
    _offset += seconds


def waited() -> float:
    """Return the seconds that have been waited altogether."""
    return _offset


def go_back(waited_seconds: float) -> None:
    """Make it the time when *waited_seconds* had been waited."""
    global _offset  # noqa: PLW0603 - there is one time
    _offset = waited_seconds


def monotonic() -> float:
    """Return the seconds that have passed, waited ones included."""
    return time.monotonic() + _offset


def install(patch: pytest.MonkeyPatch) -> None:
    """Put every clock that the product and botocore read on this time."""
    patch.setattr(clock, "datetime", _Moved)
    patch.setattr(clock, "monotonic", monotonic)
    patch.setattr(clock, "sleep", wait)
    patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=wait))
