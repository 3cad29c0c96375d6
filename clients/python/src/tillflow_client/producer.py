"""The sync producer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any

import httpx

from tillflow_client import sending
from tillflow_client.calling import Caller, beating
from tillflow_client.events import Accepted, NewEvent, Result
from tillflow_client.retrying import Retry
from tillflow_client.settings import TIMEOUT_SECONDS, producer_credential
from tillflow_client.wire import Flow


class Producer(AbstractContextManager["Producer"]):
    """
    Sends events to the API at *url* with a producer's *api_key*. Threads may share it.

    *retry* bounds how long a call is made again; *timeout* is one request's, in seconds; *transport* is httpx's, for proxies
    and tests.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        retry: Retry = Retry(),  # noqa: B008 - it never changes
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._caller = Caller(url, producer_credential(api_key), transport, timeout)
        self._retry = retry

    def send(
        self,
        event_type: str,
        payload: Mapping[str, Any],
        version: int = 1,
        occurred_at: datetime | None = None,
        key: str | None = None,
    ) -> Accepted:
        """
        Send one event, and return when it is accepted: stored, and to be delivered to every consumer that wants it.

        *key* (its idempotency key, by default a new UUID) makes it one event however often it is sent.

        Raises:
            ApiError: the server will not have it, or could not take it in `Retry.total` seconds.
            NoAnswer: nobody answered in that time. With the same *key* it may be sent again.
        """
        event = NewEvent(event_type, payload, version, occurred_at, key or "")
        return self._caller.run(sending.send(event, self._retry))

    @contextmanager
    def batch(self, *, linger: float = 0.5, on_result: Callable[[Result], None] | None = None) -> Iterator[Batch]:
        """
        Lend a buffer that sends itself whenever it holds 100 events or 1 MB, or the oldest has waited for *linger* seconds.

        The end sends what is left, also after an error: it was given to us. *on_result* is called with what became of each
        event, `Accepted` or `Rejected`, from whichever thread sent it; what it raises is logged. With it, what is
        rejected raises nothing.

        Raises:
            Unsent: some of it was not taken in `Retry.total` seconds.
            SomeRejected: some of it can never be; all else was accepted.
        """
        buffer = sending.Buffer(self._retry, linger, on_result)
        batch = Batch(self._caller, buffer)
        with beating(max(linger / 2, sending.SHORTEST_BEAT), batch.tick):
            try:
                yield batch
            finally:
                batch.flush()
        buffer.check()

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the connections."""
        self.close()


class Batch:
    """Events on their way, as `Producer.batch` lends it. Threads may share it."""

    def __init__(self, caller: Caller, buffer: sending.Buffer) -> None:
        self._caller = caller
        self._buffer = buffer
        # Batches go one after the other: events are accepted in the order they were sent in, unless some are sent again.
        self._sending = threading.RLock()  # reentrant: who is told of an event may send another

    @property
    def accepted(self) -> int:
        """How many events were accepted so far."""
        return self._buffer.accepted

    def send(
        self,
        event_type: str,
        payload: Mapping[str, Any],
        version: int = 1,
        occurred_at: datetime | None = None,
        key: str | None = None,
    ) -> None:
        """
        Take an event as `Producer.send` does; it may be sent now or later.

        Raises:
            Unsent: the batch that it filled was not taken.
        """
        self._run(self._buffer.add(NewEvent(event_type, payload, version, occurred_at, key or "")))

    def flush(self) -> None:
        """
        Send what waits, and return when it is decided.

        Raises:
            Unsent: some of it was not taken.
        """
        self._run(self._buffer.flush())

    def tick(self) -> None:
        """Send what has waited long enough."""
        self._run(self._buffer.tick())

    def _run(self, flow: Flow[None]) -> None:
        with self._sending:
            self._caller.run(flow)
