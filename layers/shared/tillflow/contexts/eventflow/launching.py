"""Replays are begun by who asks for one, and started: where that is lost, or an execution gave up, by the schedule."""

from contextlib import suppress
from datetime import timedelta
from itertools import islice

from tillflow.contexts.eventflow import matching, registry, replaystore
from tillflow.contexts.eventflow.registry import Consumer
from tillflow.contexts.eventflow.replaymodels import MAX_RATE, CreateReplay
from tillflow.contexts.eventflow.replays import present
from tillflow.contexts.eventflow.replaystore import Replay, Status
from tillflow.errors import Conflict, Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, faults
from tillflow.runtime.config import setting
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import Once, Reply
from tillflow.values import clock, ids, jsontext

MAX_RUNNING = 5
_LOOKED_AT = 100
_STARTED_WITHIN = timedelta(minutes=2)
# What is routed until a commit holds is in no new queue: the replay that the commit begins reaches this far beyond it.
_COMMITTED_WITHIN = timedelta(minutes=1)


class TooManyReplays(Conflict):
    """So many replays to this consumer run at once that their rates add up: wait, or stop one."""

    code = "TOO_MANY_REPLAYS"


def begin(consumer_id: str, wanted: CreateReplay, cause: Cause, once: Once) -> Reply:
    """
    Begin a replay (202), or count what one would send (200).

    Raises:
        ConsumerNotFound, ConsumerNotReady: there is no such consumer, or not yet.
        TooManyReplays: five are running.
        Unavailable: the database does not answer.
    """

    def command() -> Reply:
        # In here: an answer that was given is given again, also when the consumer is there no more.
        consumer = registry.live(registry.find(consumer_id))
        replay = _of(consumer, wanted, cause)
        if wanted.dry_run:
            return Reply(200, {"dry_run": True, **matching.count(consumer, replay)})
        reply = Reply(202, present(replay))
        _check_running(consumer_id)
        commit = Commit(cause)
        once.remember(commit, cause, reply)
        replaystore.add(commit, replay, clock.iso(cause.at + _STARTED_WITHIN))
        commit.write()
        return reply

    told = once.run(command)
    if not wanted.dry_run and not told.replayed:
        start_soon(consumer_id, told.body["replay_id"])
    return told


def begin_from(commit: Commit, consumer: Consumer, since: str, cause: Cause) -> str:
    """
    Let *commit* have a replay of all that a consumer wants received *since* (ISO 8601), and return its id, to start it with.

    It ends after the commit, not where its cause began: what was routed between the two was sent to nobody.
    """
    now, until = clock.iso(cause.at), clock.iso(clock.now() + _COMMITTED_WITHIN)
    everything = Replay(consumer.consumer_id, ids.ordered(cause.at), since, until, (), False, MAX_RATE, now, cause.user_id)
    replaystore.add(commit, everything, clock.iso(cause.at + _STARTED_WITHIN))
    return everything.replay_id


def start_soon(consumer_id: str, replay_id: str) -> None:
    """Start sending now; where that fails, the schedule does within minutes."""
    with suppress(Unavailable):
        start(consumer_id, replay_id)


def start(consumer_id: str, replay_id: str) -> None:
    """
    Start sending; of two that send, the later goes on.

    Raises:
        Unavailable: Step Functions did not answer.
    """
    given = {"data": {"replay_id": replay_id, "consumer_id": consumer_id}}
    with faults.unavailable("state machine"):
        aws.client("stepfunctions").start_execution(stateMachineArn=setting("EVENT_REPLAY_ARN"), input=jsontext.dumps(given))


def resume(cause: Cause) -> int:
    """Start every replay that nobody is at, and return how many these were."""
    left = replaystore.overdue(cause.at)
    for replay in left:
        # Started first, postponed after: one start too many does no harm.
        start(replay.consumer_id, replay.replay_id)
        replaystore.postpone(replay, cause.at)
    return len(left)


def _of(consumer: Consumer, wanted: CreateReplay, cause: Cause) -> Replay:
    now = clock.iso(cause.at)
    return Replay(
        consumer.consumer_id,
        ids.ordered(cause.at),
        wanted.since or clock.EARLIEST,
        min(wanted.until, now) if wanted.until else now,
        tuple(wanted.event_types or ()),
        wanted.dead_only,
        wanted.rate,
        now,
        cause.user_id,
    )


def _check_running(consumer_id: str) -> None:
    latest = islice(replaystore.newest(consumer_id, ""), _LOOKED_AT)
    running = [item for item in latest if item["status"] == Status.RUNNING]
    if len(running) >= MAX_RUNNING:
        raise TooManyReplays(f"{MAX_RUNNING} replays to this consumer are running. Wait until one has ended, or stop one.")
