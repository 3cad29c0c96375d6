"""Both halves of the package behind one face, so that a test is written once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from fake_tillflow import FakeTillflow
from tillflow_client import AsyncConsumer, AsyncProducer, Consumer, Event, Pace, Producer, Result, Retry

URL = "https://api.example.com/stage"
# Nothing that fails here is worth more than some milliseconds.
QUICK = Retry(total=2.0, first=0.001, longest=0.002)
PACE = Pace(limit=10, wait=0, idle=0.005, longest=0.005)

T = TypeVar("T")
Sent = tuple[str, dict[str, Any]]


class Half(Protocol):
    """The sync half, or the async one."""

    def producer(self, server: FakeTillflow, retry: Retry = QUICK) -> Any:
        """Return a producer."""

    def consumer(self, server: FakeTillflow, consumer_id: str | None = None, pace: Pace = PACE) -> Any:
        """Return a consumer."""

    def done(self, what: Any) -> Any:
        """Return what a method returns, when it has."""

    def batch(self, producer: Any, events: Iterable[Sent], on_result: Callable[[Result], None] | None = None) -> None:
        """Send *events* in a batch."""

    def loop(self, consumer: Any, body: Callable[[Event], object]) -> None:
        """Loop over a consumer's events within its `with`, until *body* returns something."""

    def run(self, consumer: Any, handler: Callable[[Event], object]) -> None:
        """Run a consumer with a *handler* within its `with`."""


@dataclass
class Sync:
    """With threads."""

    def producer(self, server: FakeTillflow, retry: Retry = QUICK) -> Producer:
        return Producer(URL, "key", retry=retry, transport=server.transport)

    def consumer(self, server: FakeTillflow, consumer_id: str | None = None, pace: Pace = PACE) -> Consumer:
        return Consumer(URL, consumer_id, service_token="token", pace=pace, retry=QUICK, transport=server.transport)

    def done(self, what: T) -> T:
        return what

    def batch(self, producer: Producer, events: Iterable[Sent], on_result: Callable[[Result], None] | None = None) -> None:
        with producer.batch(on_result=on_result) as batch:
            for event_type, payload in events:
                batch.send(event_type, payload)

    def loop(self, consumer: Consumer, body: Callable[[Event], object]) -> None:
        with consumer:
            for event in consumer.events():
                if body(event) is not None:
                    break

    def run(self, consumer: Consumer, handler: Callable[[Event], object]) -> None:
        with consumer:
            consumer.run(handler)


@dataclass
class Async:
    """With asyncio."""

    def producer(self, server: FakeTillflow, retry: Retry = QUICK) -> AsyncProducer:
        return AsyncProducer(URL, "key", retry=retry, transport=server.transport)

    def consumer(self, server: FakeTillflow, consumer_id: str | None = None, pace: Pace = PACE) -> AsyncConsumer:
        return AsyncConsumer(URL, consumer_id, service_token="token", pace=pace, retry=QUICK, transport=server.transport)

    def done(self, what: Any) -> Any:
        async def awaited() -> Any:
            return await what

        return asyncio.run(awaited()) if inspect.isawaitable(what) else what

    def batch(self, producer: AsyncProducer, events: Iterable[Sent], on_result: Callable[[Result], None] | None = None) -> None:
        async def send() -> None:
            async with producer.batch(on_result=on_result) as batch:
                for event_type, payload in events:
                    await batch.send(event_type, payload)

        asyncio.run(send())

    def loop(self, consumer: AsyncConsumer, body: Callable[[Event], object]) -> None:
        async def loop() -> None:
            async with consumer:
                async for event in consumer.events():
                    if await asyncio.to_thread(body, event) is not None:
                        break

        asyncio.run(loop())

    def run(self, consumer: AsyncConsumer, handler: Callable[[Event], object]) -> None:
        async def handle(event: Event) -> None:
            await asyncio.to_thread(handler, event)

        async def run() -> None:
            async with consumer:
                await consumer.run(handle)

        asyncio.run(run())
