"""Consumers as they are shown, changed, paused and deleted."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tillflow.contexts.eventflow import deadletters, queuedeleting, queues, registry, tables
from tillflow.contexts.eventflow.consumermodels import ConsumerFields
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.contexts.eventflow.queues import QueueGone
from tillflow.contexts.eventflow.registry import Consumer, Status
from tillflow.messaging.envelope import Cause
from tillflow.storage import batch, database
from tillflow.storage.again import again
from tillflow.storage.commit import Commit
from tillflow.web import paging
from tillflow.web.paging import InvalidPlace

type Patch = Callable[[Mapping[str, Any]], ConsumerFields]
type CheckVersion = Callable[[int], None]

_BUSY = "Too many change this consumer at this moment. Try again."


def page(query: ListQuery) -> dict[str, Any]:
    """
    Return a page of consumers: `{items, next_token}`.

    Raises:
        InvalidPlace: the token is none of this list's.
    """
    after = paging.name_of(query.next_token, ("consumers",), refusal=InvalidPlace) if query.next_token else ""
    found = [each for each in registry.everyone() if each.consumer_id > after and each.status != Status.DELETING]
    shown, token = paging.cut(found, query.limit, ("consumers",), lambda each: each.consumer_id)
    return {"items": list(map(present, shown)), "next_token": token}


def change(consumer_id: str, patch: Patch, check: CheckVersion, cause: Cause) -> Consumer:
    """
    Change what *patch* changes, and return the consumer; new types hold for what is routed from then on.

    Raises:
        ConsumerNotFound, ConsumerNotReady: there is none, or not yet.
        Stale: *check* refuses its version.
    """

    def changed(present: Consumer) -> Consumer:
        fields = patch(
            {
                "name": present.name,
                "subscribed_event_types": list(present.types),
                "ack": present.ack,
                "lease_seconds": present.lease_seconds,
            }
        )
        check(present.version)
        types = tuple(fields.subscribed_event_types)
        return replace(present, name=fields.name, types=types, ack=fields.ack, lease_seconds=fields.lease_seconds)

    return _change(consumer_id, changed, cause)


def pause(consumer_id: str, cause: Cause) -> Consumer:
    """Let a consumer be given no events, which wait for it; else as `change`. Paused twice is paused."""
    return _change(consumer_id, lambda present: replace(present, status=Status.PAUSED), cause)


def resume(consumer_id: str, cause: Cause) -> Consumer:
    """Let a consumer be given events again; else as `pause`."""
    return _change(consumer_id, lambda present: replace(present, status=Status.ACTIVE), cause)


def remove(consumer_id: str, cause: Cause) -> None:
    """
    Delete a consumer, and its queue with what is in it. Where it is deleted already but for its end, go on with that.

    Raises:
        ConsumerNotFound: there is none.
        Unavailable: SQS or the database does not answer; what is left is done within minutes.
    """

    def attempt() -> None:
        item = database.get(tables.eventflow(), registry.key_of(consumer_id))
        if item is None or (present := registry.of_item(item)).status != Status.DELETING:
            present = registry.found_in(item)
            commit = Commit(cause)
            registry.save(commit, present, replace(present, status=Status.DELETING))
            commit.write()

    again(attempt, _BUSY)
    finish_removal(consumer_id)


def finish_removal(consumer_id: str) -> None:
    """Delete the queue of a consumer that nobody sends to any more, then itself; what else speaks of it expires."""
    queuedeleting.delete(consumer_id)
    batch.delete(tables.eventflow(), [tables.consumer_key(consumer_id)])


def watched(consumer_id: str) -> tuple[Consumer, dict[str, Any]]:
    """
    Return a consumer, and it as it is shown with about how many events wait, are leased, and are dead.

    Raises:
        ConsumerNotFound: there is none.
        Unavailable: SQS or the database does not answer.
    """
    consumer = registry.find(consumer_id)
    dead = deadletters.count(consumer)
    counted = {
        "dead_letters": min(dead, deadletters.MAX_COUNTED),
        "dead_letters_relation": "gte" if dead > deadletters.MAX_COUNTED else "eq",
    }
    return consumer, present(consumer) | _waiting(consumer) | counted


def _waiting(consumer: Consumer) -> dict[str, int | None]:
    try:
        if consumer.status in registry.LIVE:
            depth = queues.depth(consumer)
            age = queues.oldest_age(consumer) if depth != queues.EMPTY else None
            return {"backlog": depth.waiting, "in_flight": depth.leased, "oldest_age_seconds": age}
    except QueueGone:
        registry.mark_broken(consumer)
    return dict.fromkeys(("backlog", "in_flight", "oldest_age_seconds"))


def present(consumer: Consumer) -> dict[str, Any]:
    """Return a consumer as it is shown."""
    return {
        "consumer_id": consumer.consumer_id,
        "name": consumer.name,
        "subscribed_event_types": list(consumer.types),
        "start": consumer.start,
        "ack": consumer.ack,
        "lease_seconds": consumer.lease_seconds,
        "status": consumer.status,
        "created_at": consumer.created_at,
    } | ({"broken_at": consumer.broken_at} if consumer.broken_at else {})


def _change(consumer_id: str, to: Callable[[Consumer], Consumer], cause: Cause) -> Consumer:
    """Return a consumer changed, decided anew where somebody else was faster."""

    def attempt() -> Consumer:
        before = registry.live(registry.find(consumer_id))
        after = to(before)
        if after == before:
            return before
        commit = Commit(cause)
        saved = registry.save(commit, before, after)
        commit.write()
        return saved

    return again(attempt, _BUSY)
