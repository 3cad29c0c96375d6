"""
The `outbox` attribute: what a commit's first item carries of the events that the commit emits (docs/adr/0002).

Deflated JSON, `[[source, type, detail text], …]`: a write unit is a kilobyte.
"""

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from tillflow.errors import Invalid
from tillflow.messaging.envelope import TYPE, Cause, Event, NotAnEnvelope, check, seal
from tillflow.values import jsontext

# The bus takes 256 KB an entry, and so does a queue, where the bus's own fields stand around it.
MAX_BYTES = 240_000
# No item's outbox unpacks to more: an item has 400 KB at most, and one of ours a few events.
_MAX_UNPACKED_BYTES = 1_000_000


class EventTooLarge(Invalid):
    """The event would not fit the bus."""

    code = "EVENT_TOO_LARGE"
    title = "Event too large"


class Packed(NamedTuple):
    """An event as it waits in an item's `outbox`: *source*, *type*, and its *envelope*, as *detail* says it in JSON."""

    source: str
    type: str
    detail: str
    envelope: dict[str, Any]


def pack(events: Sequence[Event], cause: Cause) -> bytes:
    """
    Return *events* sealed, as the bytes of an item's `outbox` attribute.

    Raises:
        EventTooLarge: one would not fit the bus, or all not an outbox. What causes it must not be committed.
    """
    return pack_sealed([(event.source, seal(event, cause)) for event in events])


def pack_sealed(events: Sequence[tuple[str, dict[str, Any]]]) -> bytes:
    """Return events that are sealed, each with its source, as `pack` does."""
    entries = [[source, envelope["event_type"], jsontext.dumps(envelope)] for source, envelope in events]
    for _, kind, detail in entries:
        if len(detail.encode()) > MAX_BYTES:
            raise EventTooLarge(f"The event {kind} would have more than {MAX_BYTES:,} bytes.")
    outbox = jsontext.dumps(entries).encode()
    if len(outbox) > _MAX_UNPACKED_BYTES:
        raise EventTooLarge(f"The events of one commit would have more than {_MAX_UNPACKED_BYTES:,} bytes.")
    return zlib.compress(outbox)


def unpack(outbox: bytes) -> list[Packed]:
    """
    Return the events in an `outbox` attribute.

    Raises:
        NotAnEnvelope: this is not what `pack` writes, and never will be.
    """
    try:
        return [_packed(*entry) for entry in jsontext.loads(_inflate(outbox))]
    # RecursionError: JSON that is nested deeper than Python calls.
    except (zlib.error, ValueError, TypeError, RecursionError) as error:
        raise NotAnEnvelope(f"The outbox cannot be read: {type(error).__name__}.") from error


def _inflate(outbox: bytes) -> bytes:
    # No more than we could have packed: a few bytes may stand for gigabytes.
    inflater = zlib.decompressobj()
    text = inflater.decompress(outbox, _MAX_UNPACKED_BYTES)
    if not inflater.eof:
        raise NotAnEnvelope("The outbox is cut off, or larger than any of ours.")
    return text


def _packed(source: object, kind: object, detail: object) -> Packed:
    if not isinstance(source, str) or not TYPE.fullmatch(source) or not isinstance(detail, str):
        raise NotAnEnvelope("The outbox holds something else than events.")
    if len(detail.encode()) > MAX_BYTES:
        raise NotAnEnvelope(f"An event has more than {MAX_BYTES:,} bytes.")
    envelope = check(jsontext.loads(detail))
    if envelope["event_type"] != kind:
        raise NotAnEnvelope("An event is of another type than its entry.")
    return Packed(source, envelope["event_type"], detail, envelope)
