"""Events as people look at them: by type, by producer, by when they were received; one whole; and without what is private."""

from collections.abc import Iterator
from typing import Any

from tillflow.contexts.eventflow import eventlog, pages, tables
from tillflow.contexts.eventflow.eventlog import Event
from tillflow.contexts.eventflow.models import EventsQuery
from tillflow.contexts.eventflow.pages import Entry
from tillflow.contexts.eventflow.rules import EventNotFound
from tillflow.messaging.envelope import Cause
from tillflow.messaging.packing import pack_sealed
from tillflow.runtime import aws, deadline
from tillflow.storage import database
from tillflow.storage.commit import Commit, when
from tillflow.values import clock, ids
from tillflow.web import paging
from tillflow.web.paging import InvalidPlace

# As many are counted; and as many are looked at for it, where not all of them are wanted.
_COUNTED, _LOOKED_AT = 10_000, 50_000
# A page and a count end while there is time for the next read, and to answer.
_SECONDS = aws.LONGEST_CALL_SECONDS
_NOT_FOUND = "There is no event with this id, or none any more: they are kept for 90 days."


def page(wanted: EventsQuery) -> dict[str, Any]:
    """
    Return a page of events, received last first: `{items, total, total_relation, next_token}`.

    Where few of those that were looked at are wanted, it may have fewer than the limit, or none, and yet go on.

    *total* is exact where *total_relation* is `eq`; where it is `gte` there are more. An event is here within seconds after
    it was accepted.

    Raises:
        InvalidPlace: the token is of another list.
    """
    of = [wanted.event_type, wanted.producer_id, wanted.since, wanted.until]
    after, counted = _place(wanted, of)
    listed = enumerate(pages.listed(_index(wanted), wanted.since, wanted.until, descending=True, after=after), 1)
    shown, last, more = _shown(wanted, listed)
    # Counted with the first page: the token brings it along.
    total, relation = counted or _count(wanted, listed, len(shown) + more)
    return {
        "items": [each._asdict() for each in shown],
        "total": total,
        "total_relation": relation,
        "next_token": paging.token((*last[:2], str(total), relation), of) if last else None,
    }


def get(event_id: str) -> Event:
    """
    Return an event.

    Raises:
        EventNotFound: there is none.
    """
    found = eventlog.load([event_id]) if ids.is_uuid(event_id) else {}
    if event_id not in found:
        raise EventNotFound(_NOT_FOUND)
    return found[event_id]


def erase(event_id: str, cause: Cause) -> None:
    """
    Erase an event's payload; that there was the event, and who erased it, stays. Erased twice, it stays as it is.

    What was delivered is not called back; what waits to be is delivered without it.

    Raises:
        EventNotFound: there is none.
    """
    item = database.get(tables.events(), tables.event_key(event_id))
    if item is None or item["expires_at"] <= clock.epoch(cause.at):
        raise EventNotFound(_NOT_FOUND)
    if "erased_at" in item:
        return
    source, _, _, envelope = eventlog.opened(item)
    commit = Commit(cause)
    commit.update(
        tables.events(),
        tables.event_key(event_id),
        change={
            "packed": pack_sealed([(source, envelope | {"data": {}})]),
            "print": eventlog.print_of(event_id, envelope["data"]),
            "erased_at": clock.iso(cause.at),
            "erased_by": cause.user_id,
        },
        when=when("attribute_exists(#pk)"),
        otherwise=lambda _: EventNotFound(_NOT_FOUND),
    )
    commit.write()


def present(event: Event) -> dict[str, Any]:
    """Return an event as it is shown whole."""
    return {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "event_version": event.event_version,
        "producer_id": event.producer_id,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "trace_id": event.trace_id,
        "payload": event.payload,
        "erased": event.payload is None,
    }


def _shown(wanted: EventsQuery, listed: Iterator[tuple[int, Entry]]) -> tuple[list[Entry], Entry | None, int]:
    """Return a page's events, what the next page comes after, if there may be one, and how many of that were looked at."""
    shown: list[Entry] = []
    for looked_at, each in listed:
        if wanted.producer_id in (None, each.producer_id):
            if len(shown) == wanted.limit:
                return shown, shown[-1], 1
            shown.append(each)
        if looked_at == _LOOKED_AT or deadline.remaining() < _SECONDS:
            return shown, each, 0
    return shown, None, 0


def _index(wanted: EventsQuery) -> str:
    if wanted.event_type:
        return tables.of_type(wanted.event_type)
    return tables.of_producer(wanted.producer_id) if wanted.producer_id else tables.ALL


def _count(wanted: EventsQuery, listed: Iterator[tuple[int, Entry]], total: int) -> tuple[int, str]:
    """Return how many events there are with the *total* so far, and whether these are all (`eq`) or there are more (`gte`)."""
    for looked_at, each in listed:
        total += wanted.producer_id in (None, each.producer_id)
        if total > _COUNTED or looked_at > _LOOKED_AT or deadline.remaining() < _SECONDS:
            return min(total, _COUNTED), "gte"
    return total, "eq"


def _place(wanted: EventsQuery, of: list[str | None]) -> tuple[Entry | None, tuple[int, str] | None]:
    """Return what the page comes after, and what was counted. Anybody can make a token: it has these four, or is none of ours."""
    if wanted.next_token is None:
        return None, None
    place = paging.place_of(wanted.next_token, of, refusal=InvalidPlace)
    try:
        received_at, event_id, total, relation = place
        clock.parse(received_at)
        counted = int(total), relation
    except ValueError:
        raise paging.spoiled(InvalidPlace) from None
    if not ids.is_uuid(event_id) or not 0 <= counted[0] <= _COUNTED or relation not in ("eq", "gte"):
        raise paging.spoiled(InvalidPlace)
    return Entry(received_at, event_id, "", "", 0), counted
