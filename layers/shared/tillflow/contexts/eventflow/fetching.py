"""
A fetch: what waits for a consumer is leased, loaded and handed out, as much as surely fits into one answer.

An event is leased until it is acknowledged or its lease is over: whatever is lost on the way comes again.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tillflow.contexts.eventflow import eventlog, leases, pollers, queues, registry, tables
from tillflow.contexts.eventflow.consumermodels import FetchQuery
from tillflow.contexts.eventflow.eventlog import Event
from tillflow.contexts.eventflow.leases import Lease
from tillflow.contexts.eventflow.queues import BATCH, Message, QueueGone
from tillflow.contexts.eventflow.registry import Consumer, Status
from tillflow.errors import Unavailable
from tillflow.messaging.packing import MAX_BYTES
from tillflow.runtime import aws, deadline
from tillflow.storage import database
from tillflow.values import clock, jsontext
from tillflow.web.http import MAX_BODY_BYTES, size_of

# A fetch ends when it has so much. Each event is counted as it leaves: within Lambda's own JSON, where a quote is two characters.
_ENOUGH_BYTES = 4_000_000
_LARGEST_EVENT_BYTES = 2 * MAX_BYTES + 4_096


class QueueMissing(Unavailable):
    """The consumer's queue is not there: it is made again within minutes, and what it should have had is sent again."""

    code = "CONSUMER_QUEUE_MISSING"


@dataclass(slots=True)
class _Taken:
    """What a fetch has so far: events as they are shown, their leases, and how much of an answer they are."""

    shown: list[dict[str, Any]] = field(default_factory=list)
    held: list[Lease] = field(default_factory=list)
    size: int = 0


def missing(consumer: Consumer) -> QueueMissing:
    """Note that a consumer's queue is not there, and return the refusal that says so."""
    registry.mark_broken(consumer)
    return QueueMissing(
        "The queue of this consumer is not there. It is made again within minutes, and what it should have had is sent again."
    )


def fetch(consumer_id: str, wanted: FetchQuery, who: Sequence[str]) -> dict[str, Any]:
    """
    Return `{events, ack}`; with `ack: auto`, what the poller (*who*) was given before is acknowledged.

    Raises:
        ConsumerNotFound, ConsumerNotReady: there is none, or not yet.
        QueueMissing: somebody has deleted its queue.
        Unavailable: the database or SQS does not answer. What may have been leased comes again.
    """
    key, poller = registry.key_of(consumer_id), pollers.key_of(consumer_id, *who, wanted.poller)
    found = {tables.is_consumer(item): item for item in database.batch(tables.eventflow(), [key, poller])}
    consumer = registry.live(registry.found_in(found.get(True)))
    before = found.get(False) if consumer.ack == "auto" else None
    try:
        pollers.acknowledge(consumer, before)
        taken = _Taken() if consumer.status == Status.PAUSED else _take(consumer, wanted)
    except QueueGone as error:
        raise missing(consumer) from error
    if consumer.ack == "auto":
        # Written or not, what is leased is handed out: told "again", a client would acknowledge what it has not seen.
        with suppress(Unavailable):
            pollers.remember(consumer, poller, before, [each.receipt for each in taken.held])
    answer: dict[str, Any] = {"events": taken.shown, "ack": [leases.token(consumer, each) for each in taken.held]}
    return answer | ({"paused": True} if consumer.status == Status.PAUSED else {})


def _take(consumer: Consumer, wanted: FetchQuery) -> _Taken:
    taken = _Taken()
    until = clock.monotonic() + wanted.wait
    while len(taken.shown) < wanted.limit and taken.size < _ENOUGH_BYTES:
        most = min(BATCH, wanted.limit - len(taken.shown), (MAX_BODY_BYTES - taken.size) // _LARGEST_EVENT_BYTES)
        wait = 0 if taken.shown else math.ceil(max(0, until - clock.monotonic()))
        try:
            any_came = _take_some(consumer, taken, most, wait)
        except Unavailable:
            if not taken.shown:
                raise
            break  # What there is, is leased: it is handed out.
        if not any_came and (taken.shown or clock.monotonic() >= until):
            break
        if deadline.remaining() < 2 * aws.LONGEST_CALL_SECONDS:
            break
    return taken


def _take_some(consumer: Consumer, taken: _Taken, most: int, wait: int) -> bool:
    """Lease some messages and add their events; return whether there were any."""
    asked_at = clock.now()
    messages = queues.receive(consumer, most, lease_seconds=consumer.lease_seconds, wait_seconds=wait)
    if not messages:
        return False
    try:
        stored = eventlog.load([message.pointer.event_id for message in messages])
    except Unavailable:
        # Nobody is told of them: they need not wait for the end of their lease.
        queues.extend(consumer, [(message.receipt, 0) for message in messages])
        raise
    # Events are kept for 90 days: what is no longer there is not delivered again.
    if gone := [message.receipt for message in messages if message.pointer.event_id not in stored]:
        queues.acknowledge(consumer, gone)
    for message, event in _of(messages, stored):
        held = leases.lease(consumer, event.event_id, message.receipt, asked_at)
        shown = present(event, message)
        taken.size += size_of(jsontext.dumps(shown)) + len(leases.token(consumer, held)) + len('",",')
        taken.shown.append(shown)
        taken.held.append(held)
    return True


def _of(messages: Sequence[Message], stored: dict[str, Event]) -> Iterator[tuple[Message, Event]]:
    return ((message, stored[message.pointer.event_id]) for message in messages if message.pointer.event_id in stored)


def present(event: Event, message: Message) -> dict[str, Any]:
    """Return an event as it is delivered."""
    return {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "event_version": event.event_version,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "producer_id": event.producer_id,
        "payload": event.payload,
        "delivery_count": message.deliveries,
        "replayed": message.pointer.replayed,
    } | ({"erased": True} if event.payload is None else {})
