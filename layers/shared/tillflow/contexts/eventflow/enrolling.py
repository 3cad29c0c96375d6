"""
Registration: a consumer is written down, given a queue, and then made known. Each step may be the last; the next goes on from it.

A consumer that has been answered gets every event that is accepted after that: routers read who there is with each batch.
"""

from dataclasses import replace

from tillflow.contexts.eventflow import launching, queuemaking, registry
from tillflow.contexts.eventflow.consumermodels import EARLIEST, LATEST, CreateConsumer
from tillflow.contexts.eventflow.consumers import present
from tillflow.contexts.eventflow.registry import Consumer, Status
from tillflow.errors import Conflict, Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import again
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import KeyReused, Once, Reply
from tillflow.values import clock, ids


class AlreadyRegistered(Conflict):
    """This Idempotency-Key has registered a consumer, more than a day ago."""

    code = "ALREADY_REGISTERED"


class _There(Exception):
    """There is a consumer of this id: *item*."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item


def register(wanted: CreateConsumer, cause: Cause, once: Once, key: str | None) -> Reply:
    """
    Register a consumer and return it (201), active; the same again under its *key* goes on where it had ended.

    Raises:
        AlreadyRegistered: its key is an old one.
        Unavailable: SQS or the database does not answer; the same may be sent again, with its key.
    """
    if told := once.answered():
        return told
    types, created_at = tuple(wanted.subscribed_event_types), clock.iso(cause.at)
    consumer_id = ids.new() if key is None else ids.derived("consumer", f"{cause.user_id}\n{key}")
    known = (wanted.start, wanted.ack, wanted.lease_seconds)
    consumer = Consumer(consumer_id, wanted.name, types, *known, Status.PENDING, created_at)
    return once.run(lambda: again(lambda: _registered(consumer, cause, once), "Others do the same at this moment. Try again."))


def began(consumer: Consumer) -> str:
    """Return since when a consumer has events: since it was registered, or the moment that it chose."""
    return {LATEST: consumer.created_at, EARLIEST: clock.EARLIEST}.get(consumer.start, consumer.start)


def _registered(wanted: Consumer, cause: Cause, once: Once) -> Reply:
    """Return the answer when it is true; `Moved` where somebody else goes on with this consumer, or deletes it."""
    pending = _written_down(wanted, cause)
    url = queuemaking.create(pending.consumer_id, pending.name)
    active = replace(pending, status=Status.ACTIVE, queue_url=url)
    reply = Reply(201, present(active))
    commit = Commit(cause)
    registry.save(commit, pending, active)
    # From now on it is sent what is routed; what was before, the indexes have.
    replay_id = None if active.start == LATEST else launching.begin_from(commit, active, began(active), cause)
    once.remember(commit, cause, reply)
    commit.write()
    if replay_id:
        launching.start_soon(active.consumer_id, replay_id)
    return reply


def _written_down(wanted: Consumer, cause: Cause) -> Consumer:
    """Return the consumer as it is written down: now, or by an attempt that went no further."""
    commit = Commit(cause)
    registry.add(commit, wanted, _There)
    try:
        commit.write()
    except _There as there:
        found = registry.of_item(there.item)
        if found.status == Status.DELETING:
            raise Unavailable("The consumer of this Idempotency-Key is being deleted. Send the same request again.") from None
        if found.status != Status.PENDING:
            raise AlreadyRegistered("A consumer was registered under this Idempotency-Key. Use a new one.") from None
        if replace(found, created_at=wanted.created_at) != wanted:
            raise KeyReused("This Idempotency-Key was used with a different request. Use a new key.") from None
        return found
    return wanted
