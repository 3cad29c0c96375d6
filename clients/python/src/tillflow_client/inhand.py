"""What the sync and the async consumer share: which consumer it is, and what it has in hand."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, Protocol, TypeVar

from tillflow_client import registering
from tillflow_client.consuming import Stopping, Work
from tillflow_client.events import Event
from tillflow_client.pacing import Pace
from tillflow_client.retrying import Retry
from tillflow_client.signals import stopping


class Asked(Stopping, Protocol):
    """What may be asked to stop."""

    def ask(self) -> None:
        """Ask it to stop."""


class HasStop(Protocol):
    """What runs flows, until it is stopped."""

    @property
    def stop(self) -> Asked:
        """The stop of its loop."""


C = TypeVar("C", bound=HasStop)


class InHand(Generic[C]):
    """The part of a consumer that waits for nothing."""

    def __init__(self, caller: C, consumer_id: str | None, pace: Pace, retry: Retry, *, signals: bool) -> None:
        self._caller = caller
        self._consumer_id = consumer_id
        self._pace = pace
        self._retry = retry
        self._signals = signals
        self._registered: dict[str, Any] | None = None
        self._work: Work | None = None

    @property
    def consumer_id(self) -> str:
        """
        The consumer's id.

        Raises:
            ValueError: there is none yet.
        """
        return registering.known(self._consumer_id)

    def nack(self, event: Event, delay_seconds: float | None = None) -> None:
        """
        Have *event*, the one at hand, come again after so many seconds (to 43,200), by default as `Pace.backoff` says.

        The server is told with the next acknowledgements.

        Raises:
            ValueError: it is not the one at hand, or the delay is none that there is.
        """
        if self._work is None:
            raise ValueError(f"event {event.event_id} is not the one at hand")
        self._work.nack(event, delay_seconds)

    @property
    def is_stopping(self) -> bool:
        """Whether the loop is to end after the event at hand; a handler that takes long may look."""
        return self._caller.stop.is_asked

    def stop(self) -> None:
        """Have the loop end after the event at hand."""
        self._caller.stop.ask()

    def _became(self, there: dict[str, Any]) -> dict[str, Any]:
        self._consumer_id = there["consumer_id"]
        self._registered = there
        return there

    def _began(self, there: dict[str, Any]) -> Work:
        registering.check(there)
        self._work = Work(self.consumer_id, there["lease_seconds"], self._pace, self._caller.stop)
        return self._work

    def _stopping(self, loop: AbstractEventLoop | None = None) -> AbstractContextManager[None]:
        return stopping(self.stop, loop) if self._signals else nullcontext()
