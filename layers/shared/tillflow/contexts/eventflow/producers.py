"""Producers: who may send events from outside, how many a second, and whether they may now. Their keys are of machines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from tillflow.contexts.eventflow import tables
from tillflow.contexts.eventflow.models import ListQuery, NewProducer, ProducerFields
from tillflow.contexts.eventflow.rules import ProducerNotFound
from tillflow.messaging.envelope import Cause
from tillflow.storage import database
from tillflow.storage.again import Moved, again
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, unchanged
from tillflow.values import clock, ids
from tillflow.web import paging
from tillflow.web.paging import InvalidPlace

_BUSY = "This producer is being changed by others. Send the same request again."
_CHANGEABLE = ("name", "description", "rate", "disabled")


@dataclass(frozen=True, slots=True)
class Producer:
    """A producer; *rate*: events a second, None where the stack's holds."""

    producer_id: str
    name: str
    description: str | None
    rate: int | None
    disabled: bool
    created_at: str
    created_by: str


def add(commit: Commit, wanted: NewProducer, cause: Cause) -> Producer:
    """Let *commit* make a producer; return it."""
    created_at = clock.iso(cause.at)
    producer = Producer(ids.new(), wanted.name, wanted.description, wanted.rate, False, created_at, cause.user_id)
    fields = asdict(producer)
    del fields["producer_id"]
    listed = {"listed": tables.PRODUCERS, "listed_as": tables.listed_as(created_at, producer.producer_id)}
    item = tables.producer_key(producer.producer_id) | fields | listed
    commit.put(tables.eventflow(), item, when=absent(), otherwise=lambda _: None)  # nobody else has its id
    return producer


def get(producer_id: str) -> Producer:
    """
    Return a producer.

    Raises:
        ProducerNotFound: there is none.
    """
    item = database.get(tables.eventflow(), tables.producer_key(producer_id))
    if item is None:
        raise ProducerNotFound("There is no producer with this id.")
    return of_item(item)


def page(wanted: ListQuery) -> dict[str, Any]:
    """
    Return a page of producers, newest first: `{items, next_token}`. A new one may take a moment to appear.

    Raises:
        InvalidPlace: the token is of another list.
    """
    of = (tables.PRODUCERS,)
    before = clock.LATEST
    if wanted.next_token:
        before = paging.name_of(wanted.next_token, of, low=clock.EARLIEST, refusal=InvalidPlace)
    found = database.between(
        tables.eventflow(),
        tables.LISTED_INDEX,
        tables.LISTED_KEYS,
        tables.PRODUCERS,
        (clock.EARLIEST, before),
        ScanIndexForward=False,
        Limit=wanted.limit + 2,
    )
    entries = list(islice((each for each in found if each["listed_as"] != before), wanted.limit + 1))
    shown, token = paging.cut(entries, wanted.limit, of, lambda each: str(each["listed_as"]))
    kept = {producer.producer_id: producer for producer in map(of_item, _whole(shown))}
    items = [present(kept[each]) for each in map(tables.producer_id_of, shown) if each in kept]
    return {"items": items, "next_token": token}


def change(producer_id: str, patch: Callable[[Mapping[str, Any]], ProducerFields], cause: Cause) -> Producer:
    """Return a producer with *patch* applied; else as `get`."""

    def patched(producer: Producer) -> Producer:
        fields = patch({"name": producer.name, "description": producer.description, "rate": producer.rate})
        return replace(producer, name=fields.name, description=fields.description, rate=fields.rate)

    return _change(producer_id, patched, cause)


def set_disabled(producer_id: str, cause: Cause, *, disabled: bool) -> Producer:
    """Let a producer's keys open nothing from now on, or something again; else as `get`."""
    return _change(producer_id, lambda producer: replace(producer, disabled=disabled), cause)


def present(producer: Producer) -> dict[str, Any]:
    """Return a producer as it is shown."""
    return {
        "producer_id": producer.producer_id,
        "name": producer.name,
        "description": producer.description,
        "rate": producer.rate,
        "status": "DISABLED" if producer.disabled else "ACTIVE",
        "created_at": producer.created_at,
        "created_by": producer.created_by,
    }


def of_item(item: Item) -> Producer:
    """Return the producer that an item is."""
    return Producer(
        tables.producer_id_of(item),
        item["name"],
        item.get("description"),
        item.get("rate"),
        item["disabled"],
        item["created_at"],
        item["created_by"],
    )


def _whole(entries: Sequence[Item]) -> list[Item]:
    keys = [tables.producer_key(tables.producer_id_of(each)) for each in entries]
    return list(database.batch(tables.eventflow(), keys))


def _change(producer_id: str, to: Callable[[Producer], Producer], cause: Cause) -> Producer:
    def attempt() -> Producer:
        item = database.get(tables.eventflow(), tables.producer_key(producer_id))
        if item is None:
            raise ProducerNotFound("There is no producer with this id.")
        now = of_item(item)
        then = to(now)
        if then == now:
            return now
        fields = {name: value for name, value in asdict(then).items() if name in _CHANGEABLE}
        commit = Commit(cause)
        commit.update(
            tables.eventflow(),
            tables.producer_key(producer_id),
            change={name: value for name, value in fields.items() if value is not None},
            remove=tuple(name for name, value in fields.items() if value is None),
            when=unchanged(item, _CHANGEABLE),
            otherwise=lambda _: Moved(),
        )
        commit.write()
        return then

    return again(attempt, _BUSY)
