"""
How often something may be tried, decided: a limit takes what is kept of the tries before, and says what to keep.

Moments are milliseconds since 1970. What is kept has `expires_at` (seconds; TTL): from then on it is as if nothing were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

type Kept = Mapping[str, int]

_DAY = 24 * 60 * 60


class Full(Exception):
    """It was tried too often: not again for *wait* milliseconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


class Limit(Protocol):
    """How often something may be tried."""

    def taken(self, kept: Kept | None, now: int) -> Kept:
        """
        Return what to keep when it is tried now; *kept* is what was kept last.

        Raises:
            Full: it may not be tried now.
        """

    def given_back(self, now: int) -> tuple[Kept, Kept]:
        """Return what to set, and what to add, of what is kept when a try was none: it succeeded."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """
    *most* at once, and as many in *seconds*, one by one (a leaky bucket, kept as the moment when it is empty again: GCRA).

    A window that begins anew would let twice as many through around its end, and nobody until then.
    """

    most: int
    seconds: int

    def _of(self, tries: int) -> int:
        """Return the milliseconds that so many *tries* fill of it."""
        return -(-tries * self.seconds * 1000 // self.most)

    def taken(self, kept: Kept | None, now: int, tries: int = 1) -> Kept:
        """Return when the bucket will be empty if it is tried so often at once (see `Limit`)."""
        empty_at = max(now, kept["empty_at"] if kept else 0) + self._of(tries)
        if (over := empty_at - now - self.seconds * 1000) > 0:
            raise Full(over)
        return {"empty_at": empty_at, "expires_at": empty_at // 1000 + 1}

    def given_back(self, now: int) -> tuple[Kept, Kept]:
        """Return it emptier by one (see `Limit`)."""
        return {"expires_at": now // 1000 + self.seconds + 1}, {"empty_at": -self._of(1)}


@dataclass(frozen=True, slots=True)
class Backoff:
    """*free* tries, then a pause of a second before the next, twice as long before each other, at most *longest* seconds."""

    free: int = 5
    longest: int = 15 * 60
    forgotten: int = _DAY

    def taken(self, kept: Kept | None, now: int) -> Kept:
        """Return how many tries there have been, and when there may be the next (see `Limit`)."""
        if kept is None or now // 1000 >= kept["expires_at"]:
            kept = {"tries": 0, "open_at": 0}
        if now < kept["open_at"]:
            raise Full(kept["open_at"] - now)
        tries = kept["tries"] + 1
        # (No number has more digits for it than the longest pause needs.)
        pause = min(2 ** min(tries - self.free, 20), self.longest) if tries >= self.free else 0
        return {"tries": tries, "open_at": now + pause * 1000, "expires_at": now // 1000 + self.forgotten}

    def given_back(self, now: int) -> tuple[Kept, Kept]:
        """Return that all is forgotten: who succeeds may make mistakes again (see `Limit`)."""
        return {"tries": 0, "open_at": 0, "expires_at": now // 1000}, {}
