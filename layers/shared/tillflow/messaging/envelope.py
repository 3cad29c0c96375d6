"""
The event envelope, version 1 (contract: event-contracts.md).

    {"event_id", "event_type", "occurred_at", "trace_id", "identity": {"user_id", "roles"}, "data", "version"}

On the bus: `detail-type` is the event type, `source` is `tillflow.<context>`, `detail` is the envelope.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tillflow.values import clock, ids, jsontext

VERSION = 1


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something happens: on whose behalf, as part of which trace, and when (*since* when, if something began it)."""

    user_id: str
    roles: tuple[str, ...]
    trace_id: str
    at: datetime = field(default_factory=lambda: clock.now())  # noqa: PLW0108 - not clock.now itself, which tests set
    since: datetime = field(default_factory=lambda: clock.now())  # noqa: PLW0108

    @staticmethod
    def of_envelope(envelope: Mapping[str, Any]) -> "Cause":
        """Return the cause that goes on from a received *envelope*: same person, same trace, now."""
        identity = envelope["identity"]
        since = clock.parse(envelope["occurred_at"])
        return Cause(identity["user_id"], tuple(identity["roles"]), envelope["trace_id"], since=since)


@dataclass(frozen=True, slots=True)
class Event:
    """One event to publish: its *source* context, *type*, and *data* as the contract shapes it."""

    source: str
    type: str
    data: Mapping[str, Any]


def seal(event: Event, cause: Cause) -> dict[str, Any]:
    """Return *event* in its envelope, with an id of its own."""
    return {
        "event_id": ids.new(),
        "event_type": event.type,
        "occurred_at": clock.iso(cause.at),
        "trace_id": cause.trace_id,
        "identity": {"user_id": cause.user_id, "roles": list(cause.roles)},
        "data": dict(event.data),
        "version": VERSION,
    }


def pack(events: list[Event], cause: Cause) -> bytes:
    """
    Return *events* sealed, as the bytes of an item's `outbox` attribute: deflated JSON `[[source, type, detail text], …]`.

    Deflated because a write unit is a kilobyte (docs/adr/0002).
    """
    entries = [[event.source, event.type, jsontext.dumps(seal(event, cause))] for event in events]
    return zlib.compress(jsontext.dumps(entries).encode())


def unpack(outbox: bytes) -> list[tuple[str, str, str]]:
    """Return the `(source, type, detail text)` of each event in an `outbox` attribute."""
    return [(source, kind, detail) for source, kind, detail in jsontext.loads(zlib.decompress(outbox))]
