"""Flows of a consumer: fetching, acknowledging, and keeping the leases of what is in hand."""

from __future__ import annotations

import logging
import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from tillflow_client.errors import TillflowError
from tillflow_client.events import Event
from tillflow_client.retrying import Retry, Tries, ask, jittered
from tillflow_client.wire import API, Answer, Flow, Pause, Request, failure, post

logger = logging.getLogger("tillflow_client")

MOST_TOKENS = 100
# What is done waits at most so long for its acknowledgement, so that one request is for many.
ACK_SECONDS = 1.0
PAUSED_SECONDS = 10.0
_FIRST_IDLE = 0.05
_FIRST_ERROR = 0.2
# Leases are extended when a quarter has passed, or a little later; half is left for trying again.
_BEATS_PER_LEASE = 4


def backoff(delivery_count: int) -> float:
    """Return how many seconds to wait after a failure: 5, 10, … doubled each time up to an hour, of which half is random."""
    longest = min(3600.0, 5.0 * 2 ** (min(delivery_count, 20) - 1))
    return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True)
class Pace:
    """
    How a consumer fetches: at most *limit* events at a time (1 to 100), waiting *wait* seconds for the first (0 to 5).

    After a fetch that brought nothing it pauses, up to *idle* seconds, and after a failed one up to *longest*.
    *backoff* tells for an event's delivery count after how many seconds one that failed comes again.
    """

    limit: int = 10
    wait: int = 5
    idle: float = 1.0
    longest: float = 30.0
    backoff: Callable[[int], float] = backoff


@dataclass
class Lease:
    """An *event* that is ours since a moment of the monotonic clock, by its *token*."""

    event: Event
    token: str
    since: float


class Stopping(Protocol):
    """Whether the loop is to end."""

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked for it."""


class Work:
    """
    What a consumer has in hand: one event begun, others waiting, and what is to be told of those that are done.

    Each of its flows may run beside another, as long as no two decide at the same moment.
    """

    def __init__(self, consumer_id: str, lease_seconds: float, pace: Pace, stop: Stopping) -> None:
        self.beat = lease_seconds / _BEATS_PER_LEASE
        self._path = f"{API}/consumers/{quote(consumer_id, safe='')}"
        self._lease_seconds = lease_seconds
        self._pace = pace
        self._stop = stop
        self._begun: Lease | None = None
        self._verdict: float | None = None
        self._waiting: deque[Lease] = deque()
        self._done: list[Lease] = []
        self._failed: list[tuple[int, Lease]] = []
        self._flushed = 0.0
        self._misses = 0

    def nack(self, event: Event, delay: float | None) -> None:
        """
        Have the *event* that is begun come again after *delay* seconds, by default `Pace.backoff`'s.

        Raises:
            ValueError: it is not the one that is begun.
        """
        if self._begun is None or self._begun.event is not event:
            raise ValueError(f"event {event.event_id} is not the one at hand")
        self._verdict = self._pace.backoff(event.delivery_count) if delay is None else delay

    def next(self) -> Flow[Event | None]:
        """Take the event that was begun for done, and return the next one; None when it is time to stop."""
        self._settle()
        if not self._waiting or time.monotonic() - self._flushed >= ACK_SECONDS:
            yield from self.flush()
        while not (self._waiting or self._stop.is_asked):
            yield from self._fetch()
        if self._stop.is_asked:
            return None
        self._begun = self._waiting.popleft()
        return self._begun.event

    def flush(self) -> Flow[None]:
        """Tell the server what is done, and what failed. What it cannot be told comes again."""
        done, self._done = self._done, []
        failed, self._failed = self._failed, []
        self._flushed = time.monotonic()
        yield from self._tell("ack", done)
        for delay in sorted({delay for delay, _ in failed}):
            yield from self._tell("nack", [lease for each, lease in failed if each == delay], delay_seconds=delay)

    def keep(self) -> Flow[None]:
        """Tell what is done, and extend the leases of all else that is in hand. What was lost before it was begun is let go."""
        yield from self.flush()
        now = time.monotonic()
        begun = [self._begun] if self._begun else []
        old = [lease for lease in (*begun, *self._waiting) if now - lease.since >= self.beat]
        extended, lost = yield from self._tell("extend", old, seconds=math.ceil(self._lease_seconds))
        for lease in extended:
            lease.since = now
        self._waiting = deque(lease for lease in self._waiting if lease not in lost)

    def release(self, *, failed: bool = False) -> Flow[None]:
        """Give up everything in hand: tell what is done (unless what was begun *failed*), give back what was not begun."""
        if failed and self._begun is not None and self._verdict is None:
            self.nack(self._begun.event, None)
        self._settle()
        self._failed += [(0, lease) for lease in self._waiting]
        self._waiting.clear()
        yield from self.flush()

    def _settle(self) -> None:
        if self._begun is None:
            return
        if self._verdict is None:
            self._done.append(self._begun)
        else:
            self._failed.append((math.ceil(self._verdict), self._begun))
        self._begun = self._verdict = None

    def _fetch(self) -> Flow[None]:
        since = time.monotonic()
        params = {"limit": str(self._pace.limit), "wait": str(self._pace.wait)}
        reply = yield Request("GET", f"{self._path}/events", params=params, longer=self._pace.wait)
        if not (isinstance(reply, Answer) and reply.is_success):
            error = failure(reply)
            if not error.again:
                raise error
            pause = error.retry_after + jittered(_FIRST_ERROR, self._pace.longest, self._misses)
            logger.warning("fetching failed, again in %.1f s: %s", pause, error)
        else:
            said = reply.json()
            self._waiting.extend(Lease(Event.of(each), token, since) for each, token in _with_tokens(said))
            longest = PAUSED_SECONDS if said.get("paused") else self._pace.idle
            pause = jittered(_FIRST_IDLE, longest, self._misses)
        self._misses = 0 if self._waiting else self._misses + 1
        if self._misses:
            yield Pause(pause, breakable=True)

    def _tell(self, verb: str, leases: Sequence[Lease], **more: int) -> Flow[tuple[list[Lease], list[Lease]]]:
        """Tell the server something of *leases*; return those of which it took it, and those that were over."""
        taken: list[Lease] = []
        lost: list[Lease] = []
        tries = Tries(Retry(total=self._lease_seconds / 2, longest=2.0))
        left = deque(leases)
        while left:
            part = [left.popleft() for _ in range(min(len(left), MOST_TOKENS))]
            try:
                answer = yield from ask(post(f"{self._path}/{verb}", {"ack": [lease.token for lease in part], **more}), tries)
                results = answer.json()["results"]
            except TillflowError as error:
                logger.warning("%s of %d events failed, they may come again: %s", verb, len(part) + len(left), error)
                break
            for lease, said in zip(part, results, strict=True):
                lease.token = said.get("ack", lease.token)  # what was extended has another one
                {"failed": left, "expired": lost}.get(said["status"], taken).append(lease)
            pause = tries.pause() if any(said["status"] == "failed" for said in results) else 0.0
            if pause is None:
                logger.warning("%s of %d events failed, they may come again", verb, len(left))
                break
            if pause:
                yield Pause(pause)
        if lost:
            logger.warning("the leases of %d events were over before their %s: they may come again", len(lost), verb)
        return taken, lost


def _with_tokens(said: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    return zip(said["events"], said["ack"], strict=True)
