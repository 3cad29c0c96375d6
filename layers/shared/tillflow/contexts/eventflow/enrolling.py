"""
Registration: a consumer is written down, given a queue, and then made known. Each step may be the last; the next goes on from it.

A consumer that has been answered gets every event that is accepted after that: routers read who there is with each batch.
"""

from dataclasses import replace

from tillflow.contexts.eventflow import queuemaking, queues, registry
from tillflow.contexts.eventflow.consumermodels import CreateConsumer
from tillflow.contexts.eventflow.consumers import present
from tillflow.contexts.eventflow.registry import Consumer, ConsumerNotFound, Status
from tillflow.errors import Conflict
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import Once, Reply
from tillflow.values import clock, ids


class AlreadyRegistered(Conflict):
    """This Idempotency-Key has registered a consumer, more than a day ago."""

    code = "ALREADY_REGISTERED"


class RegistrationEnded(Conflict):
    """What this Idempotency-Key has registered is not there any more."""

    code = "REGISTRATION_ENDED"


def register(wanted: CreateConsumer, cause: Cause, once: Once, key: str | None) -> Reply:
    """
    Register a consumer and return it (201), active; the same again under its *key* goes on where it had ended.

    Raises:
        AlreadyRegistered: its key is an old one.
        RegistrationEnded: it was deleted since, or was not finished within a quarter of an hour.
        Unavailable: SQS or the database does not answer; the same may be sent again, with its key.
    """
    types, created_at = tuple(wanted.subscribed_event_types), clock.iso(cause.at)
    known = (wanted.start, wanted.ack, wanted.lease_seconds)
    consumer_id = ids.new() if key is None else ids.derived("consumer", f"{cause.user_id}\n{key}")
    consumer = Consumer(consumer_id, wanted.name, types, *known, Status.PENDING, created_at)
    reply = Reply(201, present(replace(consumer, status=Status.ACTIVE)))

    def command() -> Reply:
        commit = Commit(cause)
        registry.add(commit, consumer, AlreadyRegistered("A consumer was registered under this Idempotency-Key. Use a new one."))
        once.remember(commit, cause, reply)
        commit.write()
        return reply

    told = once.run(command)
    _activate(told.body["consumer_id"], cause)
    return told


def _activate(consumer_id: str, cause: Cause) -> None:
    """Give a consumer its queue and make it known, unless that is done."""
    try:
        consumer = registry.find(consumer_id)
        if consumer.status != Status.PENDING:
            return
        url = queuemaking.create(consumer_id, consumer.name)
        commit = Commit(cause)
        registry.save(commit, consumer, replace(consumer, status=Status.ACTIVE, queue_url=url))
        commit.write()
    except Moved:
        # Another attempt was faster; or it was deleted meanwhile, and the queue is nobody's.
        if _is_gone(consumer_id):
            queues.delete(consumer_id)
            raise _ended() from None
    except ConsumerNotFound:
        raise _ended() from None


def _is_gone(consumer_id: str) -> bool:
    try:
        registry.find(consumer_id)
    except ConsumerNotFound:
        return True
    return False


def _ended() -> RegistrationEnded:
    return RegistrationEnded(
        "The consumer of this Idempotency-Key was deleted, or its registration did not end in time. Use a new key."
    )
