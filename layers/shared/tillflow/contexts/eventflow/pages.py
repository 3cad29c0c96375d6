"""
Indexes of events: of all, of a type, of a producer; in pages, each of which lists some that were received within one second.

The router writes a page of each index for what it has at once, so that under load a hundred events share a write (an index of
DynamoDB's own would take three writes an event; docs/adr/0023). A page may be written twice and list an event again: readers see
each once. An index has a partition for each day and shard; where it has none is written down, so that nobody looks there.
"""

import heapq
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import batched, groupby
from typing import NamedTuple

from tillflow.contexts.eventflow import tables
from tillflow.contexts.eventflow.eventlog import RETENTION_SECONDS
from tillflow.storage import batch, database
from tillflow.storage.attributes import Item
from tillflow.storage.tables import Key, index_partition
from tillflow.values import clock, ids, jsontext

_DAY_SECONDS = 24 * 60 * 60
# Of these, 8 KB of a page are full at most; and a reader takes so many pages at once.
_MOST_ENTRIES = 200
_CHUNK = 25
# Producers choose types: so many days of them a process remembers to have written down.
_MOST_DAYS = 10_000
_SECOND, _DAY = len("2026-01-31T12:00:00"), len("2026-01-31")
_AFTER_ALL = "~"  # sorts behind whatever follows a day or a second in a key


class Entry(NamedTuple):
    """What an index has of an event, in the order that it lists them in."""

    received_at: str
    event_id: str
    event_type: str
    producer_id: str
    event_version: int


class _Kept:
    """What this process knows: the shard that it writes to, and the days that it has written down there."""

    def __init__(self) -> None:
        self.shard: str | None = None
        self.days: set[tuple[str, str]] = set()


_kept = _Kept()


def forget() -> None:
    """Begin as a new process (tests)."""
    global _kept  # noqa: PLW0603 - a Lambda's process keeps it
    _kept = _Kept()


def enter(entries: Sequence[Entry]) -> None:
    """
    Write *entries* into every index that lists them; to write them again, in whatever company, changes nothing.

    Raises:
        Unavailable: the database did not take them all in time.
    """
    if not entries:
        return
    # A process stays with one shard: little traffic is little to read, and much has many processes.
    _kept.shard = shard = _kept.shard or index_partition(entries[0].event_id)
    groups: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in dict.fromkeys(entries):
        for of in (tables.ALL, tables.of_type(entry.event_type), tables.of_producer(entry.producer_id)):
            groups[of, entry.received_at[:_SECOND]].append(entry)
    if len(_kept.days) > _MOST_DAYS:
        _kept.days.clear()
    days = {(of, second[:_DAY]) for of, second in groups} - _kept.days
    # First: no page lies where nobody looks.
    batch.put(tables.events(), (_expiring(tables.day_key(of, day, shard), day) for of, day in sorted(days)))
    parts = ((*of, part) for of, members in groups.items() for part in batched(members, _MOST_ENTRIES, strict=False))
    batch.put(tables.events(), (_page(of, second, shard, part) for of, second, part in parts))
    _kept.days |= days


def listed(
    of: str, since: str, until: str, *, descending: bool = False, after: Entry | None = None, consistent: bool = False
) -> Iterator[Entry]:
    """
    Yield the entries of an index that were received within [*since*, *until*], in that order, each once.

    It goes on *after* an entry. Nothing older than 90 days is listed. *consistent*: not a moment old, at twice the price.
    """
    since = max(since, clock.iso(clock.from_milliseconds(clock.milliseconds(clock.now()) - RETENTION_SECONDS * 1000)))
    if after:
        since, until = (since, min(until, after.received_at)) if descending else (max(since, after.received_at), until)
    for day, shards in groupby(_days(of, since[:_DAY], until[:_DAY], descending, consistent), key=lambda each: each[0]):
        bounds = since[:_SECOND], until[:_SECOND] + _AFTER_ALL
        runs = [
            database.Run(
                tables.events(),
                tables.partition_of(tables.page_key(of, day, shard, "", "")),
                bounds,
                descending,
                _CHUNK,
                consistent,
            )
            for _, shard in shards
        ]
        pages = heapq.merge(*runs, key=tables.second_of, reverse=descending)
        for _, within in groupby(pages, key=tables.second_of):
            found = sorted({entry for page in within for entry in entries_on(page)}, reverse=descending)
            yield from (each for each in found if since <= each.received_at <= until and _is_behind(each, after, descending))


def _is_behind(entry: Entry, after: Entry | None, descending: bool) -> bool:  # noqa: FBT001 - as it was asked for
    if after is None:
        return True
    place, known = entry[:2], after[:2]
    return place < known if descending else place > known


def _days(of: str, first: str, last: str, descending: bool, consistent: bool) -> Iterator[tuple[str, str]]:  # noqa: FBT001 - as it was asked for
    pk = tables.partition_of(tables.day_key(of, "", ""))
    run = database.Run(tables.events(), pk, (first, last + _AFTER_ALL), descending, _CHUNK, consistent)
    return map(tables.day_of, run)


def _page(of: str, second: str, shard: str, entries: Sequence[Entry]) -> Item:
    day, digest = second[:_DAY], sha256("".join(sorted(each.event_id for each in entries)).encode()).hexdigest()[:16]
    rows = [[ids.short(each.event_id), clock.milliseconds(clock.parse(each.received_at)), *each[2:]] for each in entries]
    return _expiring(tables.page_key(of, day, shard, second, digest), day) | {
        "entries": zlib.compress(jsontext.dumps(rows).encode())
    }


def entries_on(page: Item) -> Iterator[Entry]:
    """Yield the entries of one page."""
    for short, received, *rest in jsontext.loads(zlib.decompress(page["entries"])):
        yield Entry(clock.iso(clock.from_milliseconds(received)), ids.unshort(short), *rest)


def _expiring(key: Key, day: str) -> Item:
    return key | {"expires_at": clock.epoch(clock.parse(day)) + RETENTION_SECONDS + _DAY_SECONDS}
