"""
Sending what a replay is of: some events at a time, at its rate, and how far it is after each time.

So a run may end anywhere, and another goes on: with what was sent last, perhaps, so that an event may come twice. Whoever
begins a run claims the replay; the run before finds that out with the next events, and ends.
"""

from collections.abc import Iterator, Sequence

from tillflow.contexts.eventflow import deadletters, matching, queues, registry, replaystore
from tillflow.contexts.eventflow.matching import Found
from tillflow.contexts.eventflow.queues import QueueGone
from tillflow.contexts.eventflow.registry import Consumer, ConsumerNotFound
from tillflow.contexts.eventflow.replaystore import Replay, ReplayNotFound, Status
from tillflow.errors import Unavailable
from tillflow.runtime import aws, backoff, deadline
from tillflow.storage.again import Moved
from tillflow.values import clock

# Some events are looked for, sent and noted down.
_SECONDS = 3 * aws.LONGEST_CALL_SECONDS
_MOST_AT_ONCE = 100
# How far it is, is noted down even where nothing is wanted.
_MOST_LOOKED_AT = 2_000


def run(consumer_id: str, replay_id: str) -> bool:
    """
    Go on with a replay while there is time; tell whether it has ended (or another run is at it).

    Raises:
        Unavailable: the database or the consumer's queue does not answer; the same may be tried again.
    """
    try:
        replay = replaystore.find(consumer_id, replay_id)
        if replay.status != Status.RUNNING:
            return True
        replay = replaystore.claim(replay, clock.now())
        return _go_on(replay)
    except (Moved, ReplayNotFound):
        return True


def _go_on(replay: Replay) -> bool:
    try:
        consumer = registry.find(replay.consumer_id)
    except ConsumerNotFound:
        replaystore.end(replay, Status.STOPPED)
        return True
    began, sent = clock.monotonic(), 0
    for some in _portions(consumer, replay):
        sent += _send(consumer, wanted := [each for each in some if each.pointer])
        replay = replaystore.keep(replay, len(wanted), some[-1].place)
        pause = began + sent / replay.rate - clock.monotonic()
        if deadline.remaining() - max(0, pause) < _SECONDS:
            return False
        clock.sleep(max(0, pause))
    replaystore.end(replay, Status.COMPLETED)
    return True


def _portions(consumer: Consumer, replay: Replay) -> Iterator[list[Found]]:
    """Yield what is looked at, in portions of which no more is wanted than is sent in a second."""
    most = min(_MOST_AT_ONCE, replay.rate)
    some: list[Found] = []
    wanted = 0
    for each in matching.found(consumer, replay):
        some.append(each)
        wanted += each.pointer is not None
        if wanted == most or len(some) == _MOST_LOOKED_AT:
            yield some
            some, wanted = [], 0
    if some:
        yield some


def _send(consumer: Consumer, some: Sequence[Found]) -> int:
    left = [each.pointer for each in some if each.pointer]
    try:
        for _ in backoff.attempts(most=5, seconds=_SECONDS):
            left = queues.send(consumer, left) if left else left
            if not left:
                deadletters.forget([each.letter for each in some if each.letter])
                return len(some)
    except QueueGone:
        registry.mark_broken(consumer)
    raise Unavailable("The consumer's queue did not take the events.")
