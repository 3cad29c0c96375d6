"""
Events as they are stored: each once, in its envelope, deflated, for 90 days.

What was accepted from outside is its own outbox (the table's stream publishes it); what came from the bus is not published again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tillflow.contexts.eventflow import tables
from tillflow.messaging.packing import Packed, pack_sealed, unpack
from tillflow.storage import database
from tillflow.storage.attributes import Item
from tillflow.values import clock, ids

RETENTION_SECONDS = 90 * 24 * 60 * 60
# What comes from outside has this before its producer as its source on the bus.
OUTSIDE = "eventflow."


@dataclass(frozen=True, slots=True)
class Event:
    """An event; *payload* is None where it was erased. Moments in ISO 8601."""

    event_id: str
    event_type: str
    event_version: int
    producer_id: str
    occurred_at: str
    received_at: str
    trace_id: str
    payload: dict[str, Any] | None


def from_outside(source: str, envelope: dict[str, Any]) -> Item:
    """Return the item of an event that was accepted: the table's stream publishes it."""
    return _item(envelope["event_id"]) | {"outbox": pack_sealed([(source, envelope)])}


def from_bus(source: str, envelope: dict[str, Any], received_at: str) -> Item:
    """Return the item of one of the product's own events, which was on the bus."""
    event_id = ids.canonical(envelope["event_id"])
    return _item(event_id) | {
        "packed": pack_sealed([(source, envelope)]),
        "received_at": received_at,
        "occurred_at": envelope["occurred_at"],
        "trace": tables.traced(envelope["trace_id"], event_id),
    }


def load(event_ids: Sequence[str]) -> dict[str, Event]:
    """Return the events of these ids that there are, as they are now: a read unit for each 4 KB, in one call for 100."""
    now = clock.epoch(clock.now())
    keys = [tables.event_key(event_id) for event_id in dict.fromkeys(event_ids)]
    found = (of_item(item) for item in database.batch(tables.events(), keys) if item["expires_at"] > now)
    return {event.event_id: event for event in found}


def opened(item: Item) -> Packed:
    """Return what an item holds, as it is on the bus."""
    (packed,) = unpack(item["outbox"] if "outbox" in item else item["packed"])
    return packed


def of_item(item: Item) -> Event:
    """Return the event that an item is."""
    source, _, _, envelope = opened(item)
    is_outside = source.startswith(OUTSIDE)
    return Event(
        tables.event_id_of(item),
        envelope["event_type"],
        envelope["event_version" if is_outside else "version"],
        producer_of(source),
        envelope["occurred_at"],
        envelope["received_at"] if is_outside else item["received_at"],
        envelope["trace_id"],
        None if "erased_at" in item else envelope["data"],
    )


def print_of(event_id: str, payload: dict[str, Any]) -> int:
    """
    Return 16 bits of what an event says: of two that were sent under one key, they tell that they differ.

    They are kept where the rest is erased; nobody can tell from so few what it was.
    """
    return int.from_bytes(sha256(f"{event_id}{said(payload)}".encode("utf-8", "surrogatepass")).digest()[:2])


def said(payload: dict[str, Any]) -> str:
    """Return what a payload says, in whatever order: 1, 1.0 and true are three things, though Python takes them for one."""
    return json.dumps(payload, sort_keys=True, default=str)


def producer_of(source: str) -> str:
    """Return the producer behind a *source* of the bus: a context of ours is one by its own name."""
    return source.removeprefix(OUTSIDE)


def _item(event_id: str) -> Item:
    return tables.event_key(event_id) | {"expires_at": clock.epoch(clock.now()) + RETENTION_SECONDS}
