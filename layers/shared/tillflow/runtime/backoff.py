"""Trying again: how often, after which pauses, and only while the invocation has time for another answer."""

import random
from collections.abc import Iterator

from tillflow.runtime import deadline
from tillflow.values import clock

# Some seven seconds of pauses: longer than a crowd stands before one item.
MOST = 20


def attempts(most: int = MOST, *, seconds: float, first: float = 0.025, longest: float = 1.0) -> Iterator[None]:
    """
    Yield for each attempt, up to *most*; end when another would not be answered in time.

    Between two it sleeps a random part (full jitter) of *first* seconds, twice that, … at most *longest*. It does not
    begin a pause unless *seconds*, an attempt's longest, are left after it: better an honest error than a Lambda that
    is killed in the middle of a call. The first attempt is always made.
    """
    for attempt in range(most):
        if attempt:
            pause = random.uniform(0, min(longest, first * 2 ** (attempt - 1)))  # noqa: S311 - jitter, not a secret
            if deadline.remaining() - pause < seconds:
                return
            clock.sleep(pause)
        yield
