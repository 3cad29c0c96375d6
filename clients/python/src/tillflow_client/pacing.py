"""How fast a consumer fetches, and how soon what failed comes again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


def backoff(delivery_count: int) -> float:
    """Return how many seconds to wait after a failure: 5, 10, … doubled each time up to an hour, of which half is random."""
    longest = min(3600.0, 5.0 * 2 ** (min(delivery_count, 20) - 1))
    return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True)
class Pace:
    """
    How a consumer fetches: at most *limit* events at a time (1 to 100), waiting *wait* seconds for the first (0 to 5).

    After a fetch that brought nothing it pauses, up to *idle* seconds, and after a failed one up to *longest*.
    *backoff* tells for an event's delivery count after how many seconds (to 43,200) one that failed comes again.
    """

    limit: int = 10
    wait: int = 5
    idle: float = 1.0
    longest: float = 30.0
    backoff: Callable[[int], float] = backoff
