"""What a replay sends: the stored events, or dead letters, that it and its consumer want, from a place on."""

import heapq
from collections.abc import Iterator
from typing import Any, NamedTuple

from tillflow.contexts.eventflow import deadletters, pages, registry, tables
from tillflow.contexts.eventflow.pages import Entry
from tillflow.contexts.eventflow.pointers import Pointer
from tillflow.contexts.eventflow.registry import Consumer
from tillflow.contexts.eventflow.replaystore import Replay
from tillflow.runtime import aws, deadline
from tillflow.storage.attributes import Item

# As many indexes of types are read side by side; more, and that of all is.
_MOST_TYPES = 8
_MOST_COUNTED = 10_000
_SECONDS = 2 * aws.LONGEST_CALL_SECONDS


class Found(NamedTuple):
    """An event that was looked at: its *place*, what to send (None: it is not wanted), and the letter where it is a dead one."""

    place: str
    pointer: Pointer | None
    letter: Item | None = None


def found(consumer: Consumer, replay: Replay) -> Iterator[Found]:
    """Yield what there is in the replay's window from its place on, in an order that stays."""
    if replay.dead_only:
        return _dead(consumer, replay)
    return _stored(consumer, replay)


def count(consumer: Consumer, replay: Replay) -> dict[str, Any]:
    """Return how many events a replay would send, `{matched, matched_relation}`: up to 10,000, and while there is time."""
    matched = 0
    for each in found(consumer, replay):
        matched += each.pointer is not None
        if matched > _MOST_COUNTED or deadline.remaining() < _SECONDS:
            return {"matched": min(matched, _MOST_COUNTED), "matched_relation": "gte"}
    return {"matched": matched, "matched_relation": "eq"}


def _wants(consumer: Consumer, replay: Replay, event_type: str) -> bool:
    return consumer.wants(event_type) and (not replay.types or registry.fits(replay.types, event_type))


def _stored(consumer: Consumer, replay: Replay) -> Iterator[Found]:
    after = _entry(replay.place) if replay.place else None
    # Read as it is now: what is indexed later was routed when the consumer was known already.
    listed = (
        pages.listed(of, replay.since, replay.until, after=after, consistent=True)
        for of in _indexes(replay.types or consumer.types)
    )
    for entry in heapq.merge(*listed):
        wanted = _wants(consumer, replay, entry.event_type)
        pointer = Pointer(entry.event_id, entry.event_type, entry.producer_id, replayed=True) if wanted else None
        yield Found(tables.listed_as(entry.received_at, entry.event_id), pointer)


def _entry(place: str) -> Entry:
    received_at, _, event_id = place.partition("#")
    return Entry(received_at, event_id, "", "", 0)


def _indexes(types: tuple[str, ...]) -> list[str]:
    exact = all(not each.endswith("*") for each in types)
    return [tables.of_type(each) for each in types] if exact and len(types) <= _MOST_TYPES else [tables.ALL]


def _dead(consumer: Consumer, replay: Replay) -> Iterator[Found]:
    for letter in deadletters.behind(consumer, replay.place):
        wanted = replay.since <= letter["dead_at"] <= replay.until and _wants(consumer, replay, letter["event_type"])
        yield Found(tables.place_of(letter), deadletters.pointer_to(letter) if wanted else None, letter)
