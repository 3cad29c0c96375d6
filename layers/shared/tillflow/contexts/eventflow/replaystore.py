"""Replays in DynamoDB: what is to be sent, how far that is, and who is at it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any

from tillflow.contexts.eventflow import tables
from tillflow.contexts.eventflow.eventlog import RETENTION_SECONDS
from tillflow.errors import NotFound
from tillflow.messaging.envelope import Cause
from tillflow.storage import database
from tillflow.storage.again import Moved
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, when
from tillflow.storage.database import Run
from tillflow.values import clock, ids

# A run takes a minute; whoever is at it says so at its beginning.
_LATE_AFTER = timedelta(minutes=5)
_MOST_RESUMED = 50
_CHUNK = 25


class Status(StrEnum):
    """How a replay stands."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"


class ReplayNotFound(NotFound):
    """The consumer has no such replay, or no longer: they are known for 90 days."""

    code = "REPLAY_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Replay:
    """
    A replay to a consumer: what was received within [*since*, *until*] of these *types* (of all that it wants, where empty).

    *place* is how far it is, *claim* names the run that is at it. Moments are in ISO 8601.
    """

    consumer_id: str
    replay_id: str
    since: str
    until: str
    types: tuple[str, ...]
    dead_only: bool
    rate: int
    created_at: str
    created_by: str
    status: Status = Status.RUNNING
    sent: int = 0
    place: str | None = None
    claim: str | None = None
    ended_at: str | None = None


def add(commit: Commit, replay: Replay, due_at: str) -> None:
    """Let *commit* have a new replay, which the schedule starts from *due_at* on."""
    fields = asdict(replay) | {"types": list(replay.types)} | _due(replay, due_at)
    del fields["consumer_id"], fields["replay_id"]
    # Nobody else has its id.
    commit.put(tables.eventflow(), _key(replay) | fields, when=absent(), otherwise=lambda _: None)


def find(consumer_id: str, replay_id: str) -> Replay:
    """
    Return a replay.

    Raises:
        ReplayNotFound: there is none.
    """
    known = ids.is_uuid(consumer_id) and ids.is_uuid(replay_id)
    item = database.get(tables.eventflow(), tables.replay_key(consumer_id, replay_id)) if known else None
    if item is None:
        raise ReplayNotFound("There is no replay with this id.")
    return of_item(item)


def newest(consumer_id: str, before: str) -> Run:
    """Return the run of a consumer's replays, newest first, from *before* on."""
    pk, (low, high) = tables.replays(consumer_id)
    return Run(tables.eventflow(), pk, (low, before or high), descending=True, chunk=_CHUNK)


def claim(replay: Replay, at: datetime) -> Replay:
    """
    Let a new run be at it, and no other any more.

    Raises:
        Moved: it has ended, or another has claimed it at this moment.
    """
    return _change(replay, {"claim": ids.new(), **_due(replay, clock.iso(at + _LATE_AFTER))})


def keep(replay: Replay, sent: int, place: str) -> Replay:
    """Store that so many more were *sent*, and how far it is; else as `claim`."""
    return _change(replay, {"place": place, "sent": replay.sent + sent})


def end(replay: Replay, status: Status) -> Replay:
    """Store that it has ended; else as `claim`."""
    now = clock.now()
    ended = {"status": status, "ended_at": clock.iso(now), "expires_at": clock.epoch(now) + RETENTION_SECONDS}
    return _change(replay, ended, remove=("listed", "listed_as"))


def overdue(at: datetime) -> list[Replay]:
    """Return replays that nobody is at."""
    bounds = (clock.EARLIEST, clock.iso(at))
    listed = database.between(
        tables.eventflow(), tables.LISTED_INDEX, tables.LISTED_KEYS, tables.REPLAYS, bounds, Limit=_MOST_RESUMED
    )
    found = database.batch(tables.eventflow(), [tables.key_of(entry) for entry in islice(listed, _MOST_RESUMED)])
    # The index may still have what has ended a moment ago.
    return [replay for replay in map(of_item, found) if replay.status == Status.RUNNING]


def postpone(replay: Replay, at: datetime) -> None:
    """Have a replay be looked at again later, unless it has ended or gone on meanwhile."""
    with suppress(Moved):
        _change(replay, _due(replay, clock.iso(at + _LATE_AFTER)))


def of_item(item: Item) -> Replay:
    """Return the replay that an item is."""
    consumer_id, replay_id = tables.replay_of(item)
    names = ("since", "until", "dead_only", "rate", "created_at", "created_by", "sent")
    later: dict[str, Any] = {name: item.get(name) for name in ("place", "claim", "ended_at")}
    known: dict[str, Any] = {name: item[name] for name in names}
    return Replay(consumer_id, replay_id, types=tuple(item["types"]), status=Status(item["status"]), **known, **later)


def _change(replay: Replay, change: dict[str, Any], remove: tuple[str, ...] = ()) -> Replay:
    commit = Commit(Cause(replay.created_by, (), ids.new()))
    same = "#claim = :claim" if replay.claim else "attribute_not_exists(#claim)"
    known = {"claim": replay.claim} if replay.claim else {}
    running = when(f"#status = :running AND {same}", running=Status.RUNNING, **known)
    moved: Callable[[Item | None], Exception] = lambda _: Moved()  # noqa: E731
    commit.update(tables.eventflow(), _key(replay), change=change, remove=remove, when=running, otherwise=moved)
    commit.write()
    return replace(replay, **{name: value for name, value in change.items() if name in Replay.__slots__})


def _key(replay: Replay) -> dict[str, str]:
    return tables.replay_key(replay.consumer_id, replay.replay_id)


def _due(replay: Replay, due_at: str) -> Item:
    return {"listed": tables.REPLAYS, "listed_as": tables.listed_as(due_at, replay.replay_id)}
