"""The async consumer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

import httpx

from tillflow_client import registering
from tillflow_client.calling_async import AsyncCaller, beating
from tillflow_client.events import Event
from tillflow_client.inhand import InHand
from tillflow_client.pacing import Pace
from tillflow_client.registering import Start
from tillflow_client.retrying import Retry
from tillflow_client.settings import TIMEOUT_SECONDS, consumer_credential

logger = logging.getLogger("tillflow_client")


class AsyncConsumer(InHand[AsyncCaller], AbstractAsyncContextManager["AsyncConsumer"]):
    """As `Consumer`, with asyncio."""

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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        caller = AsyncCaller(url, consumer_credential(service_token, token), transport, timeout)
        super().__init__(caller, consumer_id, pace, retry, signals=signals)

    async def register(
        self, name: str, types: str | Sequence[str], *, start: Start = "latest", lease_seconds: int | None = None
    ) -> dict[str, Any]:
        """As `Consumer.register`."""
        return self._became(await self._caller.run(registering.register(name, types, start, lease_seconds, self._retry)))

    async def describe(self) -> dict[str, Any]:
        """As `Consumer.describe`."""
        return await self._caller.run(registering.describe(self.consumer_id, self._retry))

    async def delete(self) -> None:
        """As `Consumer.delete`."""
        await self._caller.run(registering.delete(self.consumer_id, self._retry))
        self._work = None

    async def run(self, handler: Callable[[Event], Awaitable[object]]) -> None:
        """As `Consumer.run`, with a coroutine function."""
        try:
            async for event in self.events():
                await self._handle(handler, event)
        except BaseException:
            await self._leave(failed=True)
            raise

    async def events(self) -> AsyncIterator[Event]:
        """As `Consumer.events`."""
        work = self._work or self._began(self._registered or await self.describe())
        with self._stopping(asyncio.get_running_loop()):
            async with beating(work.beat, lambda: self._caller.run(work.keep())):
                while (event := await self._caller.run(work.next())) is not None:
                    yield event
        await self._leave()

    async def close(self) -> None:
        """As `Consumer.close`."""
        await self._leave()
        await self._caller.close()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """As at the end of a `Consumer`."""
        await self._leave(failed=error is not None)
        await self._caller.close()

    async def _handle(self, handler: Callable[[Event], Awaitable[object]], event: Event) -> None:
        try:
            await handler(event)
        except Exception:
            logger.exception("event %s (%s) failed and will come again", event.event_id, event.event_type)
            self.nack(event)

    async def _leave(self, *, failed: bool = False) -> None:
        if self._work is not None:
            await self._caller.run(self._work.release(failed=failed))
