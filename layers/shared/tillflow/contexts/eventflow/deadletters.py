"""
Dead letters: events that a consumer was given ten times and did not acknowledge. What is kept points to them.

SQS moves them to one queue of all consumers, whose function keeps each in its consumer's list, for as long as the event itself is
kept. What is sent again leaves the list when it is queued: a letter may be sent twice, and none is lost.
"""

from collections.abc import Iterator, Sequence
from itertools import batched, islice
from typing import Any

from tillflow.contexts.eventflow import eventlog, fetching, pointers, queues, tables
from tillflow.contexts.eventflow.eventlog import RETENTION_SECONDS
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.contexts.eventflow.pointers import Pointer
from tillflow.contexts.eventflow.queues import BATCH, MAX_DELIVERIES, QueueGone
from tillflow.contexts.eventflow.registry import Consumer
from tillflow.errors import Invalid, NotFound, Unavailable
from tillflow.runtime import aws, deadline
from tillflow.storage import batch, database
from tillflow.storage.attributes import Item
from tillflow.storage.database import Run
from tillflow.values import clock, ids
from tillflow.web import paging
from tillflow.web.paging import InvalidPlace

MAX_COUNTED = 1_000
_CHUNK = 100


class NotAPointer(Invalid):
    """What came to the dead letters points to no event of a consumer."""

    code = "NOT_A_POINTER"


class DeadLetterNotFound(NotFound):
    """The consumer has no such dead letter."""

    code = "DEAD_LETTER_NOT_FOUND"


def keep(record: dict[str, Any]) -> None:
    """
    Keep what a message of the queue of dead letters points to. The same message again is the same letter.

    Raises:
        NotAPointer: it points to nothing.
    """
    if (told := pointers.read(record["body"])) is None:
        raise NotAPointer("No pointer to an event.")
    (consumer_id, pointer), now = told, clock.now()
    key = tables.dead_letter_key(consumer_id, pointer.event_id, record["attributes"]["SentTimestamp"])
    letter = {
        "event_id": pointer.event_id,
        "event_type": pointer.event_type,
        "producer_id": pointer.producer_id,
        "dead_at": clock.iso(now),
        "deliveries": MAX_DELIVERIES,
        "listed": tables.partition_of(key),
        "listed_as": tables.listed_as(clock.iso(now), pointer.event_id),
        "expires_at": clock.epoch(now) + RETENTION_SECONDS,
    }
    batch.put(tables.eventflow(), [key | letter])


def page(consumer: Consumer, query: ListQuery) -> dict[str, Any]:
    """
    Return a page of a consumer's dead letters, oldest first: `{items, next_token}`. A new one may take a moment to appear.

    Raises:
        InvalidPlace: the token is none of this list's.
    """
    of = ("dead letters", consumer.consumer_id)
    after = clock.EARLIEST
    if query.next_token:
        after = paging.name_of(query.next_token, of, low=clock.EARLIEST, high=clock.LATEST, refusal=InvalidPlace)
    entries = list(_entries(consumer, after, query.limit + 1))
    shown, token = paging.cut(entries, query.limit, of, lambda each: str(each["listed_as"]))
    found = sorted(
        database.batch(tables.eventflow(), [tables.key_of(each) for each in shown]), key=lambda item: str(item["listed_as"])
    )
    return {"items": list(map(_present, found)), "next_token": token}


def count(consumer: Consumer) -> int:
    """Return how many dead letters a consumer has, up to one more than 1,000; an index's price."""
    return _run(consumer).count_rest(MAX_COUNTED + 1)


def redrive(consumer: Consumer, event_id: str) -> None:
    """
    Queue an event again that is among a consumer's dead letters.

    Raises:
        DeadLetterNotFound: it is not, or is kept no longer itself.
        QueueMissing: somebody has deleted the consumer's queue.
        Unavailable: SQS or the database does not answer.
    """
    letters = _letters(consumer, event_id)
    if not eventlog.load([event_id]):
        forget(letters)
        raise DeadLetterNotFound("This event is too old to be kept. Its letter is forgotten.")
    if _send(consumer, letters):
        raise Unavailable("The queue did not take the event in time. Send the same request again.")


def redrive_all(consumer: Consumer) -> dict[str, int]:
    """Queue all dead letters again, for as long as there is time, and return `{redriven, remaining}`; else as `redrive`."""
    redriven = 0
    for some in batched(_run(consumer), BATCH, strict=False):
        left = _send(consumer, some)
        redriven += len(some) - left
        if left or deadline.remaining() < 3 * aws.LONGEST_CALL_SECONDS:  # to send, to forget and to count
            break
    return {"redriven": redriven, "remaining": _run(consumer).count_rest(MAX_COUNTED)}


def discard(consumer: Consumer, event_id: str) -> None:
    """Forget a dead letter; else as `redrive`."""
    forget(_letters(consumer, event_id))


def behind(consumer: Consumer, place: str | None) -> Iterator[Item]:
    """Yield a consumer's dead letters in an order that stays, those behind a *place* (`tables.place_of`)."""
    pk, (low, high) = tables.dead_letters(consumer.consumer_id, "")
    letters = Run(tables.eventflow(), pk, (place or low, high), descending=False, chunk=_CHUNK)
    return (letter for letter in letters if tables.place_of(letter) != place)


def pointer_to(letter: Item) -> Pointer:
    """Return what a letter's event is sent again with."""
    return Pointer(letter["event_id"], letter["event_type"], letter["producer_id"], replayed=True)


def forget(letters: Sequence[Item]) -> None:
    """Take letters off the list."""
    batch.delete(tables.eventflow(), [tables.key_of(letter) for letter in letters])


def _send(consumer: Consumer, letters: Sequence[Item]) -> int:
    """Queue what *letters* point to, take those off the list, and return how many the queue did not take."""
    wanted = list(map(pointer_to, letters))
    try:
        untaken = queues.send(consumer, wanted)
    except QueueGone as error:
        raise fetching.missing(consumer) from error
    forget([letter for letter, pointer in zip(letters, wanted, strict=True) if pointer not in untaken])
    return len(untaken)


def _letters(consumer: Consumer, event_id: str) -> list[Item]:
    """Return the letters of one event: it may have died before, and again."""
    letters = list(_run(consumer, event_id)) if ids.is_uuid(event_id) else []
    if not letters:
        raise DeadLetterNotFound("This event is not among the consumer's dead letters.")
    return letters


def _run(consumer: Consumer, event_id: str = "") -> Run:
    return Run(tables.eventflow(), *tables.dead_letters(consumer.consumer_id, event_id), descending=False, chunk=_CHUNK)


def _entries(consumer: Consumer, after: str, most: int) -> Iterator[Item]:
    """Yield the entries of the index behind *after*: up to so many."""
    pk, _ = tables.dead_letters(consumer.consumer_id, "")
    bounds = (after, clock.LATEST)
    # One more than asked for: the first may be the one that the page before ended with.
    found = database.between(tables.eventflow(), tables.LISTED_INDEX, tables.LISTED_KEYS, pk, bounds, Limit=most + 1)
    return islice((entry for entry in found if entry["listed_as"] > after), most)


def _present(letter: Item) -> dict[str, Any]:
    return {name: letter[name] for name in ("event_id", "event_type", "producer_id", "dead_at", "deliveries")}
