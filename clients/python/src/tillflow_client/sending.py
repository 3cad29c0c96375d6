"""Flows of a producer: one event, and many in batches."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from tillflow_client.errors import (
    ApiError,
    BadRequest,
    PayloadTooLarge,
    ServerFailed,
    SomeRejected,
    TillflowError,
    TooManyRequests,
    Unsent,
)
from tillflow_client.events import Accepted, NewEvent, Rejected, Result, moment
from tillflow_client.retrying import Retry, Tries, ask, is_replay
from tillflow_client.wire import API, Answer, Flow, Pause, Request, failure

logger = logging.getLogger("tillflow_client")

# The server's limits for a batch; its brackets and commas are counted too.
MOST_EVENTS = 100
MOST_BYTES = 1_000_000
SHORTEST_BEAT = 0.005
_START, _END = b'{"events":[', b"]}"
_ROOM = MOST_BYTES - len(_START + _END) + 1  # the last event has no comma


def send(event: NewEvent, retry: Retry) -> Flow[Accepted]:
    """Send one event until it is accepted, or refused for good."""
    request = Request("POST", f"{API}/events", event.body, headers={"Idempotency-Key": event.key})
    answer = yield from ask(request, Tries(retry))
    return _accepted(event, {**answer.json(), "replayed": is_replay(answer)})


def deliver(events: Sequence[NewEvent], retry: Retry, tell: Callable[[Result], None]) -> Flow[None]:
    """
    Send a batch until each of its events is accepted or rejected, and *tell* of each.

    What failed is sent again. A batch that is refused as a whole is halved until it is known which event it is for; one that is
    more than the producer may send at once, until it is not.

    Raises:
        Unsent: there was no time left, or the credential is refused; what was not told of is in it.
    """
    tries = Tries(retry)
    parts = deque([list(events)])
    while parts:
        undecided, error = yield from _offered(parts.popleft(), tell)
        parts.extendleft(reversed(undecided))
        if error is None:
            continue
        pause = tries.pause(error.retry_after) if error.again else None
        if pause is None:
            raise Unsent([*chain(*parts)], error) from error
        yield Pause(pause)


def _offered(events: list[NewEvent], tell: Callable[[Result], None]) -> Flow[tuple[list[list[NewEvent]], TillflowError | None]]:
    """Offer *events* once; return those not decided, in the parts to offer next, and the error to wait out before."""
    reply = yield _request(events)
    if isinstance(reply, Answer) and reply.is_success:
        try:
            said = reply.json()
        except ApiError as strange:
            return [events], strange
        failed = _told(events, said["results"], tell)
        return ([[event for event, _ in failed]], ServerFailed(503, failed[0][1])) if failed else ([], None)
    error, middle = failure(reply), len(events) // 2
    is_refused = isinstance(error, (BadRequest, PayloadTooLarge))
    if is_refused and isinstance(error, ApiError) and not middle:
        tell(Rejected(events[0], error.error_code, error.message))
        return [], None
    parts = [events[:middle], events[middle:]] if middle and (is_refused or isinstance(error, TooManyRequests)) else [events]
    return parts, None if is_refused else error


def _request(events: Sequence[NewEvent]) -> Request:
    return Request("POST", f"{API}/events/batch", _START + b",".join(event.in_batch for event in events) + _END)


def _told(
    events: Sequence[NewEvent], results: Sequence[Mapping[str, Any]], tell: Callable[[Result], None]
) -> list[tuple[NewEvent, Mapping[str, Any]]]:
    """Tell of what is decided; return the events that failed, each with what the server says of it."""
    failed = []
    for event, said in zip(events, results, strict=True):
        if said["status"] == "ACCEPTED":
            tell(_accepted(event, said))
        elif said["status"] == "REJECTED":
            tell(Rejected(event, said["error_code"], said["message"]))
        else:
            failed.append((event, said))
    return failed


def _accepted(event: NewEvent, said: Mapping[str, Any]) -> Accepted:
    return Accepted(event, said["event_id"], moment(said["received_at"]), bool(said.get("replayed")))


class Buffer:
    """
    Events that wait until they fill a batch, or the oldest has waited for *linger* seconds.

    *on_result* is told of each; without it, what was rejected is raised at the end. One flow at a time may run on it.
    """

    def __init__(self, retry: Retry, linger: float, on_result: Callable[[Result], None] | None) -> None:
        self._retry = retry
        self._linger = linger
        self._on_result = on_result
        self._waiting: list[NewEvent] = []
        self._bytes = 0
        self._oldest = 0.0
        self._rejected: list[Rejected] = []
        self.accepted = 0

    def add(self, event: NewEvent) -> Flow[None]:
        """Take *event*; send what waits if it is then full."""
        size = len(event.in_batch) + 1
        full = self._take() if self._bytes + size > _ROOM else []
        if not self._waiting:
            self._oldest = time.monotonic()
        self._waiting.append(event)
        self._bytes += size
        if len(self._waiting) >= MOST_EVENTS:
            full = self._take()
        yield from self._deliver(full)

    def flush(self) -> Flow[None]:
        """Send what waits."""
        yield from self._deliver(self._take())

    def tick(self) -> Flow[None]:
        """Send what waits if the oldest has waited long enough. What is not taken waits on, for a call that can tell of it."""
        if self._waiting and time.monotonic() - self._oldest >= self._linger:
            before = self._bytes
            try:
                yield from self.flush()
            except Unsent as error:
                # (Who was told of an event meanwhile may have sent another.)
                self._waiting, self._bytes = [*error.events, *self._waiting], self._bytes + before

    def check(self) -> None:
        """
        Look at what the server would not have, at the end.

        Raises:
            SomeRejected: there is some, and nobody was told.
        """
        if self._rejected:
            raise SomeRejected(self._rejected)

    def _take(self) -> list[NewEvent]:
        events, self._waiting, self._bytes = self._waiting, [], 0
        return events

    def _deliver(self, events: Sequence[NewEvent]) -> Flow[None]:
        if events:
            yield from deliver(events, self._retry, self._tell)

    def _tell(self, result: Result) -> None:
        self.accepted += isinstance(result, Accepted)
        if self._on_result is None:
            self._rejected += [result] if isinstance(result, Rejected) else []
            return
        try:
            self._on_result(result)
        except Exception:
            logger.exception("on_result failed for event %s", result.event.key)  # the others are sent all the same
