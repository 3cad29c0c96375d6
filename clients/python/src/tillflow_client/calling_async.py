"""Performs flows: with asyncio, and with httpx's async client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import httpx

from tillflow_client.settings import base_url, headers_of, timeout_of
from tillflow_client.wire import Answer, Flow, Reply, Request, Silence, T

logger = logging.getLogger("tillflow_client")


class AsyncStop:
    """Something to stop, asked once."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()

    @property
    def is_asked(self) -> bool:
        """Whether it was asked."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Ask it to stop; wakes who waits."""
        self._asked.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it is asked, at most so many *seconds*."""
        await asyncio.wait([waiter := asyncio.ensure_future(self._asked.wait())], timeout=seconds)
        waiter.cancel()


class AsyncCaller:
    """Runs flows against the API at *url*. Several tasks may: a flow is alone with what it shares until it is answered."""

    def __init__(
        self, url: str, credential: Mapping[str, str], transport: httpx.AsyncBaseTransport | None, timeout: float
    ) -> None:
        self.stop = AsyncStop()
        self._timeout = timeout
        self._http = httpx.AsyncClient(base_url=base_url(url), headers=headers_of(credential), transport=transport)

    async def run(self, flow: Flow[T]) -> T:
        """Perform what *flow* asks for until it ends; return what it returns."""
        reply: Reply = None
        while True:
            try:
                effect = flow.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            if isinstance(effect, Request):
                reply = await self._answer(effect)
            else:
                reply = None
                await (self.stop.wait if effect.breakable else asyncio.sleep)(effect.seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _answer(self, request: Request) -> Reply:
        try:
            response = await self._http.request(
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


@asynccontextmanager
async def beating(seconds: float, work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Do *work* every so many *seconds*, in a task of its own, meanwhile; the end waits for what it is at."""
    over = AsyncStop()

    async def once() -> None:
        try:
            await work()
        except Exception:
            logger.exception("what runs beside the loop failed; it goes on")

    async def beat() -> None:
        while not over.is_asked:
            await over.wait(seconds)
            if not over.is_asked:
                await once()

    task = asyncio.ensure_future(beat())
    try:
        yield
    finally:
        over.ask()
        await task
