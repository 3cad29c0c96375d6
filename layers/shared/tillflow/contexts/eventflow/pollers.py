"""
What each poller of a consumer was given last: with `ack: auto` its next fetch acknowledges that, and nobody else's.

A poller is whose credential it is, from where, with what program, and what it calls itself. Receipts are kept until they are
of no use; one item a poller, which is written with each fetch that brings something.
"""

import zlib
from collections.abc import Sequence
from hashlib import sha256

from tillflow.contexts.eventflow import queues, tables
from tillflow.contexts.eventflow.registry import Consumer
from tillflow.runtime.invocation import logger
from tillflow.storage import batch
from tillflow.storage.attributes import Item
from tillflow.storage.tables import Key
from tillflow.values import clock

# A day longer than the lease: who comes back later is told the events again, as everybody is whose lease is over.
_KEPT_SECONDS = 86_400


def key_of(consumer_id: str, *who: str | None) -> Key:
    """Return the key of what the poller was given whom these words tell from others."""
    return tables.poller_key(consumer_id, sha256(repr(who).encode("utf-8", "surrogatepass")).hexdigest()[:32])


def acknowledge(consumer: Consumer, found: Item | None) -> None:
    """
    Acknowledge what a poller was given last. What SQS does not take comes again.

    Raises:
        QueueGone: there is no queue.
    """
    if found is None or found["expires_at"] <= clock.epoch(clock.now()):
        return
    results = queues.acknowledge(consumer, zlib.decompress(found["receipts"]).decode().split("\n"))
    if failed := [each for each in results if each is not None]:
        logger.warning("not acknowledged", extra={"consumer_id": consumer.consumer_id, "events": len(failed)})


def remember(consumer: Consumer, key: Key, before: Item | None, receipts: Sequence[str]) -> None:
    """
    Keep what a poller is given now, in the place of what it was given *before*.

    Raises:
        Unavailable: the database does not answer.
    """
    if receipts:
        expires_at = clock.epoch(clock.now()) + consumer.lease_seconds + _KEPT_SECONDS
        item = key | {"receipts": zlib.compress("\n".join(receipts).encode(), 1), "expires_at": expires_at}
        batch.put(tables.eventflow(), [item])
    elif before is not None:
        batch.delete(tables.eventflow(), [key])
