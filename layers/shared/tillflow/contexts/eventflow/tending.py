"""
Every minute: what was begun with consumers and not ended is ended, and a queue that is missing is made again.

Nobody knows what was in a queue that somebody deleted. So all that the consumer may have had in it is sent again, from its
registration on: consumers tell events that they have had by `event_id`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from tillflow.contexts.eventflow import consumers, enrolling, launching, queuemaking, queues, registry, tables
from tillflow.contexts.eventflow.registry import LIVE, Consumer, Status
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, deadline
from tillflow.runtime.invocation import logger
from tillflow.storage.again import Moved
from tillflow.storage.commit import Commit, when
from tillflow.values import clock

# A registration that has not ended by then was given up by whoever sent it.
_PENDING_SECONDS = 900


def tend(cause: Cause) -> int:
    """Tend every consumer that is in need of it, while there is time, and return how many were; what fails is tried again."""
    tended = 0
    for consumer in registry.everyone():
        act = _needed(consumer, cause)
        if act is None or deadline.remaining() < 3 * aws.LONGEST_CALL_SECONDS:
            continue
        try:
            act(consumer, cause)
            tended += 1
        except Moved:
            logger.info("changed meanwhile", extra={"consumer_id": consumer.consumer_id})
        except Exception:  # noqa: BLE001 - the boundary: what is wrong with one consumer must not hold up the others
            logger.exception("not tended", extra={"consumer_id": consumer.consumer_id})
    return tended


def _needed(consumer: Consumer, cause: Cause) -> Callable[[Consumer, Cause], None] | None:
    given_up = clock.iso(cause.at - timedelta(seconds=_PENDING_SECONDS))
    if consumer.status == Status.PENDING and consumer.created_at <= given_up:
        return _end
    if consumer.status == Status.DELETING:
        return _finish
    return _mend if consumer.broken_at and consumer.status in LIVE else None


def _end(consumer: Consumer, cause: Cause) -> None:
    commit = Commit(cause)
    registry.save(commit, consumer, replace(consumer, status=Status.DELETING))
    commit.write()
    _finish(consumer, cause)


def _finish(consumer: Consumer, _: Cause) -> None:
    consumers.finish_removal(consumer.consumer_id)


def _mend(consumer: Consumer, cause: Cause) -> None:
    """Make a queue again; only then begin what goes into it. A mark that was made again meanwhile stays for the next minute."""
    queuemaking.create(consumer.consumer_id, consumer.name)
    commit = Commit(cause)
    commit.update(
        tables.eventflow(),
        tables.consumer_key(consumer.consumer_id),
        remove=("broken_at",),
        when=when("#broken_at = :known", known=consumer.broken_at),
        otherwise=lambda _: Moved(),
    )
    replay_id = launching.begin_from(commit, consumer, _since(consumer, cause.at), cause)
    commit.write()
    launching.start_soon(consumer.consumer_id, replay_id)


def _since(consumer: Consumer, now: datetime) -> str:
    """Return since when what the consumer has been sent may still have been in its queue."""
    kept_since = clock.iso(now - timedelta(seconds=queues.RETENTION_SECONDS))
    # What it began with, however old that was, was queued when it was registered.
    return enrolling.began(consumer) if consumer.created_at > kept_since else kept_since
