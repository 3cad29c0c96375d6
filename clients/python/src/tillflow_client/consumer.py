"""The sync consumer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import httpx

from tillflow_client import registering
from tillflow_client.calling import Caller, beating
from tillflow_client.events import Event
from tillflow_client.inhand import InHand
from tillflow_client.pacing import Pace
from tillflow_client.registering import Start
from tillflow_client.retrying import Retry
from tillflow_client.settings import TIMEOUT_SECONDS, consumer_credential

logger = logging.getLogger("tillflow_client")


class Consumer(InHand[Caller], AbstractContextManager["Consumer"]):
    """
    Receives the events of the consumer *consumer_id*, or of the one that `register` finds or makes.

    It calls the API at *url* with a *service_token*, or an administrator's bearer *token*. Use it in a `with`: leaving
    acknowledges what is done, and gives back at once what was not begun; without, others wait until its leases are over.

    *pace* is how it fetches, *retry* bounds how long other calls are made again, *timeout* is one request's, in seconds;
    *signals* tells whether SIGTERM and SIGINT stop the loop; *transport* is httpx's, for proxies and tests.
    """

    def __init__(
        self,
        url: str,
        consumer_id: str | None = None,
        *,
        service_token: str | None = None,
        token: str | None = None,
        pace: Pace = Pace(),  # noqa: B008 - it never changes
        retry: Retry = Retry(),  # noqa: B008
        timeout: float = TIMEOUT_SECONDS,
        signals: bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        caller = Caller(url, consumer_credential(service_token, token), transport, timeout)
        super().__init__(caller, consumer_id, pace, retry, signals=signals)

    def register(
        self, name: str, types: str | Sequence[str], *, start: Start = "latest", lease_seconds: int | None = None
    ) -> dict[str, Any]:
        """
        Be the consumer called *name*, and return it; it is made if it is not there.

        Args:
            name: what it is called. Processes that give the same name share one consumer's events.
            types: event types, exact (`order.shipped`) or by prefix (`order.*`, `*`). Others than it had are its own from now on.
            start: where a new one begins: "latest", "earliest" or a moment. What is stored since then comes within some minutes,
                beside what is new, marked `replayed`. A consumer that is there goes on where it is.
            lease_seconds: for how long an event is this process's alone, unless extended; it is, while a handler runs.
        """
        return self._became(self._caller.run(registering.register(name, types, start, lease_seconds, self._retry)))

    def describe(self) -> dict[str, Any]:
        """Return what the server knows of the consumer: `backlog`, `in_flight`, `oldest_age_seconds` among it."""
        return self._caller.run(registering.describe(self.consumer_id, self._retry))

    def delete(self) -> None:
        """Delete the consumer, and all that waits for it."""
        self._caller.run(registering.delete(self.consumer_id, self._retry))
        self._work = None

    def run(self, handler: Callable[[Event], object]) -> None:
        """
        Call *handler* with each event until told to stop. An event whose handler raises comes again (`Pace.backoff`).

        Raises:
            ApiError: the server will not have this consumer any more (it was deleted, the token was revoked).
        """
        try:
            for event in self.events():
                self._handle(handler, event)
        except BaseException:
            self._leave(failed=True)
            raise

    def events(self) -> Iterator[Event]:
        """
        Yield events until told to stop. Asking for the next one acknowledges the one before, unless it was given to `nack`.

        Leases of all that was fetched are extended meanwhile, so that an event may take as long as it takes.
        """
        work = self._work or self._began(self._registered or self.describe())
        with self._stopping(), beating(work.beat, lambda: self._caller.run(work.keep())):
            while (event := self._caller.run(work.next())) is not None:
                yield event
        self._leave()

    def close(self) -> None:
        """Take the event at hand for done, give back what was not begun, and close the connections."""
        self._leave()
        self._caller.close()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """As `close`; after an error, the event at hand comes again."""
        self._leave(failed=error is not None)
        self._caller.close()

    def _handle(self, handler: Callable[[Event], object], event: Event) -> None:
        try:
            handler(event)
        except Exception:
            logger.exception("event %s (%s) failed and will come again", event.event_id, event.event_type)
            self.nack(event)

    def _leave(self, *, failed: bool = False) -> None:
        if self._work is not None:
            self._caller.run(self._work.release(failed=failed))
