"""Flows of a consumer: fetching, acknowledging, and keeping the leases of what is in hand."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from tillflow_client.events import Event
from tillflow_client.leases import Lease, Told, tell
from tillflow_client.pacing import Pace
from tillflow_client.retrying import Retry, Tries, jittered
from tillflow_client.wire import API, Answer, Flow, Pause, Request, failure

logger = logging.getLogger("tillflow_client")

MOST_DELAY_SECONDS = 43_200
# So long is tried to tell the server something before the loop goes on (or ends), at most half a lease.
TELL_SECONDS = 10.0
# What is done waits at most so long for its acknowledgement, so that one request is for many.
ACK_SECONDS = 1.0
PAUSED_SECONDS = 10.0
_FIRST_IDLE = 0.05
_FIRST_ERROR = 0.2
# Leases are extended when a quarter has passed, or a little later; half is left for trying again.
_BEATS_PER_LEASE = 4


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
            ValueError: it is not the one that is begun, or the delay is none that there is.
        """
        if self._begun is None or self._begun.event is not event:
            raise ValueError(f"event {event.event_id} is not the one at hand")
        delay = self._pace.backoff(event.delivery_count) if delay is None else delay
        if not 0 <= delay <= MOST_DELAY_SECONDS:
            raise ValueError(f"an event comes again after 0 to {MOST_DELAY_SECONDS} seconds, not {delay}")
        self._verdict = delay

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
        """Tell the server what is done, and what failed. What it could not be told now, it is the next time."""
        done, self._done = self._done, []
        failed, self._failed = self._failed, []
        self._flushed = time.monotonic()
        told = yield from self._tell("ack", done)
        self._done += self._ours(told.unknown)  # not in one statement: it would put back what there was before it asked
        for delay in sorted({delay for delay, _ in failed}):
            told = yield from self._tell("nack", [lease for each, lease in failed if each == delay], delay_seconds=delay)
            self._failed += [(delay, lease) for lease in self._ours(told.unknown)]

    def keep(self) -> Flow[None]:
        """Tell what is done, and extend the leases of all else that is in hand. What was lost before it was begun is let go."""
        yield from self.flush()
        now = time.monotonic()
        begun = [self._begun] if self._begun else []
        old = [lease for lease in (*begun, *self._waiting) if now - lease.since >= self.beat]
        told = yield from self._tell("extend", old, seconds=math.ceil(self._lease_seconds))
        for lease in told.taken:
            lease.since = now
        self._waiting = deque(lease for lease in self._waiting if lease not in told.lost)

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

    def _tell(self, verb: str, leases: Sequence[Lease], **more: int) -> Flow[Told]:
        patience = Retry(total=min(self._lease_seconds / 2, TELL_SECONDS), longest=2.0)
        return (yield from tell(self._path, verb, leases, Tries(patience), **more))

    def _ours(self, unknown: Sequence[Lease]) -> list[Lease]:
        """Return those of *unknown* that the server can still be told of; the others come again."""
        return [lease for lease in unknown if time.monotonic() - lease.since < self._lease_seconds]


def _with_tokens(said: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    return zip(said["events"], said["ack"], strict=True)
