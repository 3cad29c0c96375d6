"""
The consumers there are: who wants which events.

All are in one partition, beside one item that has their number and the number of their changes: a router reads that with every
batch of events, and the partition again when it has moved (subscribers.py). So a change holds for every event that is routed
after it was committed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from tillflow.contexts.eventflow import tables
from tillflow.errors import Conflict, NotFound
from tillflow.messaging.envelope import Cause
from tillflow.storage import database
from tillflow.storage.again import Moved
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, When, absent, always, when
from tillflow.storage.tables import Key
from tillflow.values import clock, ids

_ANY = "*"
_NOT_FOUND = "There is no consumer with this id."


class Status(StrEnum):
    """How a consumer stands: without a queue yet, with one, with one that is not read now, or about to have none."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    DELETING = "DELETING"


# Those that events are sent to.
LIVE = (Status.ACTIVE, Status.PAUSED)
# A router sends a batch to one after the other, for 11 seconds (docs/adr/0024).
MOST = 1_000


class ConsumerNotFound(NotFound):
    """There is no such consumer."""

    code = "CONSUMER_NOT_FOUND"


class ConsumerNotReady(Conflict):
    """The consumer's registration has not ended: nothing can be asked of it yet."""

    code = "CONSUMER_NOT_READY"


class TooManyConsumers(Conflict):
    """There are as many consumers as a router can serve."""

    code = "TOO_MANY_CONSUMERS"


@dataclass(frozen=True, slots=True)
class Consumer:
    """
    A consumer: it wants events of these *types* (`order.placed`, or `order.*` for all that begin so), from *start* on.

    *ack*: whether its fetches acknowledge what the fetch before returned (`auto`), or its calls do (`manual`). Moments are in
    ISO 8601; *broken_at* is when its queue was found missing.
    """

    consumer_id: str
    name: str
    types: tuple[str, ...]
    start: str
    ack: str
    lease_seconds: int
    status: Status
    created_at: str
    version: int = 1
    queue_url: str = ""
    broken_at: str | None = None

    def wants(self, event_type: str) -> bool:
        """Tell whether events of this type are for this consumer."""
        return fits(self.types, event_type)


def fits(types: Sequence[str], event_type: str) -> bool:
    """Tell whether a type is one of these, or begins as one that ends with a star does."""
    return any(event_type.startswith(each[:-1]) if each.endswith(_ANY) else event_type == each for each in types)


def everyone() -> Iterator[Consumer]:
    """Yield every consumer, whatever its status, in the order of their ids."""
    partition = tables.partition_of(tables.consumers_version_key())
    return (of_item(item) for item in database.partition(tables.eventflow(), partition) if tables.is_consumer(item))


def find(consumer_id: str) -> Consumer:
    """
    Return a consumer.

    Raises:
        ConsumerNotFound: there is none, or no longer.
    """
    return found_in(database.get(tables.eventflow(), key_of(consumer_id)))


def key_of(consumer_id: str) -> Key:
    """Return the key of a consumer that there may be; a path may hold anything (see `find`)."""
    if not ids.is_uuid(consumer_id):
        raise ConsumerNotFound(_NOT_FOUND)
    return tables.consumer_key(consumer_id)


def live(consumer: Consumer) -> Consumer:
    """
    Return *consumer* if it has a queue.

    Raises:
        ConsumerNotReady: its registration has not ended.
    """
    if consumer.status not in LIVE:
        raise ConsumerNotReady("The registration of this consumer has not ended: send it again, with the same Idempotency-Key.")
    return consumer


def found_in(item: Item | None) -> Consumer:
    """Return the consumer that is (see `find`)."""
    if item is None or item["status"] == Status.DELETING:
        raise ConsumerNotFound(_NOT_FOUND)
    return of_item(item)


def add(commit: Commit, consumer: Consumer, taken: Callable[[Item], Exception]) -> None:
    """
    Let *commit* have a new consumer, to whom no event is sent yet; *taken* returns what it means that its id has an item.

    The commit raises `TooManyConsumers` where there are as many as there may be.
    """
    commit.put(tables.eventflow(), _item_of(consumer), when=absent(), otherwise=lambda found: taken(found or {}))
    _count(
        commit,
        {"consumers": 1},
        when("attribute_not_exists(#consumers) OR #consumers < :most", most=MOST),
        TooManyConsumers(f"There are {MOST} consumers. Delete one that nobody reads, or let one have more types of events."),
    )


def save(commit: Commit, before: Consumer, after: Consumer) -> Consumer:
    """Let *commit* change a consumer, as long as it is as *before* (else `Moved`), for every router to see; return it."""
    saved = replace(after, version=before.version + 1)
    was, becomes = _item_of(before), _item_of(saved)
    commit.update(
        tables.eventflow(),
        tables.consumer_key(after.consumer_id),
        change={name: value for name, value in becomes.items() if value != was[name]},
        when=when("#version = :before", before=before.version),
        otherwise=lambda _: Moved(),
    )
    leaves = after.status == Status.DELETING != before.status
    _count(commit, {"version": 1} | ({"consumers": -1} if leaves else {}), always())
    return saved


def mark_broken(consumer: Consumer) -> None:
    """
    Note that a consumer's queue is not there: tending makes it again (and finds this mark changed, if it was again meanwhile).

    Raises:
        Unavailable: the database does not answer.
    """
    commit = Commit(Cause(consumer.consumer_id, (), ids.new()))
    commit.update(
        tables.eventflow(),
        tables.consumer_key(consumer.consumer_id),
        change={"broken_at": clock.iso(clock.now())},
        when=when("#status = :active OR #status = :paused", active=Status.ACTIVE, paused=Status.PAUSED),
        otherwise=lambda _: None,  # It is being deleted: then it should not be there.
    )
    commit.write()


def of_item(item: Item) -> Consumer:
    """Return the consumer that an item is."""
    return Consumer(
        tables.consumer_id_of(item),
        item["name"],
        tuple(item["types"]),
        item["start"],
        item["ack"],
        item["lease_seconds"],
        Status(item["status"]),
        item["created_at"],
        item["version"],
        item.get("queue_url", ""),
        item.get("broken_at"),
    )


def _count(commit: Commit, add: dict[str, int], when: When, refusal: Exception | None = None) -> None:
    commit.update(tables.eventflow(), tables.consumers_version_key(), add=add, when=when, otherwise=lambda _: refusal)


def _item_of(consumer: Consumer) -> dict[str, Any]:
    return tables.consumer_key(consumer.consumer_id) | {
        "name": consumer.name,
        "types": list(consumer.types),
        "start": consumer.start,
        "ack": consumer.ack,
        "lease_seconds": consumer.lease_seconds,
        "status": consumer.status,
        "created_at": consumer.created_at,
        "version": consumer.version,
        "queue_url": consumer.queue_url,
    }
