"""Performs flows: with threads, and with httpx's sync client."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

import httpx

from tillflow_client.settings import base_url, headers_of, timeout_of
from tillflow_client.wire import Answer, Flow, Reply, Request, Silence, T

logger = logging.getLogger("tillflow_client")
_SLICE_SECONDS = 1.0


class Stop:
    """Something to stop, asked once, also from a signal handler."""

    def __init__(self) -> None:
        self.is_asked = False
        # Not an Event: a handler may interrupt its owner's thread while that holds the Event's lock. This `put` is reentrant.
        self._asked: SimpleQueue[None] = SimpleQueue()

    def ask(self) -> None:
        """Ask it to stop; wakes who waits."""
        self.is_asked = True
        self._asked.put(None)

    def wait(self, seconds: float) -> None:
        """Wait until it is asked, at most so many *seconds*."""
        until = time.monotonic() + seconds
        while not self.is_asked and (left := until - time.monotonic()) > 0:
            # In slices: a system that hands a signal to another thread than the main one does not wake this.
            with suppress(Empty):
                self._asked.get(timeout=min(left, _SLICE_SECONDS))


class Caller:
    """Runs flows against the API at *url*. Several threads may; a flow is alone with what it shares while it decides."""

    def __init__(self, url: str, credential: Mapping[str, str], transport: httpx.BaseTransport | None, timeout: float) -> None:
        self.stop = Stop()
        # Reentrant: who is told of an event may send another.
        self._deciding = threading.RLock()
        self._timeout = timeout
        self._http = httpx.Client(base_url=base_url(url), headers=headers_of(credential), transport=transport)

    def run(self, flow: Flow[T]) -> T:
        """Perform what *flow* asks for until it ends; return what it returns."""
        reply: Reply = None
        while True:
            try:
                with self._deciding:
                    effect = flow.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            if isinstance(effect, Request):
                reply = self._answer(effect)
            else:
                reply = None
                (self.stop.wait if effect.breakable else time.sleep)(effect.seconds)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _answer(self, request: Request) -> Reply:
        try:
            response = self._http.request(
                request.method,
                request.path,
                content=request.body,
                params=request.params,
                headers=request.headers,
                timeout=timeout_of(self._timeout, request),
            )
        except httpx.RequestError as error:
            return Silence(f"{type(error).__name__}: {error}")
        return Answer(response.status_code, response.headers, response.content)


@contextmanager
def beating(seconds: float, work: Callable[[], None]) -> Iterator[None]:
    """Do *work* every so many *seconds*, on a thread of its own, meanwhile; the end waits for what it is at."""
    over = threading.Event()

    def once() -> None:
        try:
            work()
        except Exception:
            logger.exception("what runs beside the loop failed; it goes on")

    def beat() -> None:
        while not over.wait(seconds):
            once()

    thread = threading.Thread(target=beat, name="tillflow-client", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
