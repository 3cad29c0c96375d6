"""The async producer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Any

import httpx

from tillflow_client import sending
from tillflow_client.calling_async import AsyncCaller, beating
from tillflow_client.events import Accepted, NewEvent, Result
from tillflow_client.retrying import Retry
from tillflow_client.settings import TIMEOUT_SECONDS, producer_credential
from tillflow_client.wire import Flow


class AsyncProducer(AbstractAsyncContextManager["AsyncProducer"]):
    """As `Producer`, with asyncio. Tasks may share it."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        retry: Retry = Retry(),  # noqa: B008 - it never changes
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._caller = AsyncCaller(url, producer_credential(api_key), transport, timeout)
        self._retry = retry

    async def send(
        self,
        event_type: str,
        payload: Mapping[str, Any],
        version: int = 1,
        occurred_at: datetime | None = None,
        key: str | None = None,
    ) -> Accepted:
        """As `Producer.send`."""
        event = NewEvent(event_type, payload, version, occurred_at, key or "")
        return await self._caller.run(sending.send(event, self._retry))

    @asynccontextmanager
    async def batch(self, *, linger: float = 0.5, on_result: Callable[[Result], None] | None = None) -> AsyncIterator[AsyncBatch]:
        """As `Producer.batch`, for an `async with`."""
        buffer = sending.Buffer(self._retry, linger, on_result)
        batch = AsyncBatch(self._caller, buffer)
        async with beating(max(linger / 2, sending.SHORTEST_BEAT), batch.tick):
            try:
                yield batch
            finally:
                await batch.flush()
        buffer.check()

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.close()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the connections."""
        await self.close()


class AsyncBatch:
    """As `Batch`. Tasks may share it."""

    def __init__(self, caller: AsyncCaller, buffer: sending.Buffer) -> None:
        self._caller = caller
        self._buffer = buffer
        self._sending = asyncio.Lock()

    @property
    def accepted(self) -> int:
        """How many events were accepted so far."""
        return self._buffer.accepted

    async def send(
        self,
        event_type: str,
        payload: Mapping[str, Any],
        version: int = 1,
        occurred_at: datetime | None = None,
        key: str | None = None,
    ) -> None:
        """As `Batch.send`."""
        await self._run(self._buffer.add(NewEvent(event_type, payload, version, occurred_at, key or "")))

    async def flush(self) -> None:
        """As `Batch.flush`."""
        await self._run(self._buffer.flush())

    async def tick(self) -> None:
        """Send what has waited long enough."""
        await self._run(self._buffer.tick())

    async def _run(self, flow: Flow[None]) -> None:
        async with self._sending:
            await self._caller.run(flow)
