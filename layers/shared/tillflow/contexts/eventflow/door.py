"""The door that events from outside come in by: who stands there, and whether they are too many."""

from dataclasses import dataclass

from tillflow.contexts.eventflow import tables
from tillflow.contexts.eventflow.rules import PayloadTooLarge
from tillflow.errors import TooMany
from tillflow.messaging.envelope import Cause
from tillflow.runtime.config import number
from tillflow.storage import database
from tillflow.storage.again import Moved, again
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, When, unchanged, when
from tillflow.values.throttle import Bucket, Full, Kept

# A producer may save up so many seconds' events.
_SAVED_SECONDS = 10
# A process is let take so much of what a producer may send a second at once, and has so long to use it.
_SHARE = 10
_LEASE_MILLISECONDS = 1_000


class TooManyEvents(TooMany):
    """The producer sends more events than it may."""

    code = "TOO_MANY_EVENTS"
    title = "Too many events"


@dataclass(frozen=True, slots=True)
class Guest:
    """
    Who stands at the door: a producer, so many events of which are taken a second; *stamp* tells whether schemas have changed.

    The authorizer finds it with the key, and tells the function that the request is for.
    """

    producer_id: str
    rate: int
    stamp: int

    def told(self) -> dict[str, str | None]:
        """Return it as text."""
        return {"producer_id": self.producer_id, "rate": str(self.rate), "stamp": str(self.stamp)}


@dataclass(slots=True)
class _Lease:
    """What this process may let in without asking: so many events that are *left* of as many as were *given*, *until* then."""

    given: int
    left: int
    until: int


_leases: dict[str, _Lease] = {}
# What it saw last of a producer's bucket, which others have only filled further since then.
_buckets: dict[str, Kept] = {}


def forget() -> None:
    """Begin as a new process (tests)."""
    _leases.clear()
    _buckets.clear()


def look(producer_id: str) -> Guest | None:
    """
    Return who stands at the door as a producer's key says, None if it may not come in; two read units, in one call.

    Raises:
        Unavailable: the database does not answer.
    """
    wanted = [tables.producer_key(producer_id), tables.stamp_key()]
    found = {tables.is_producer(item): item for item in database.batch(tables.eventflow(), wanted)}
    producer, stamp = found.get(True), found.get(False)
    if producer is None or producer["disabled"]:
        return None
    rate = producer.get("rate") or number("EVENTS_PER_SECOND", 100)
    return Guest(producer_id, rate, stamp["stamp"] if stamp else 0)


def take(guest: Guest, events: int, arrived: int, cause: Cause) -> None:
    """
    Count *events* of a producer: one write for as many as this process has let in in the second before, or none; one more
    where other processes have counted meanwhile.

    *arrived*: when, in milliseconds since 1970, by one clock for all processes.

    Raises:
        TooManyEvents: they are more than it may send now.
        PayloadTooLarge: they are more than it may ever send at once: to wait would not help.
        Unavailable: the database does not answer.
    """
    if events > (most := guest.rate * _SAVED_SECONDS):
        raise PayloadTooLarge(f"A producer of {guest.rate} events a second sends {most} at once at most. Send fewer at once.")
    now, lease = arrived, _leases.get(guest.producer_id)
    if lease and now < lease.until and lease.left >= events:
        lease.left -= events
        return
    used = lease.given - lease.left if lease and now < lease.until + _LEASE_MILLISECONDS else 0
    wanted = max(events, min(2 * used, guest.rate // _SHARE))
    try:
        _count(guest, wanted, now, cause)
    except TooManyEvents:
        if wanted == events:
            raise
        _count(guest, wanted := events, now, cause)
    _leases[guest.producer_id] = _Lease(wanted, wanted - events, now + _LEASE_MILLISECONDS)


class _Busy(Exception):
    """The bucket is not empty: *found* is what is kept of it."""

    def __init__(self, found: Item | None) -> None:
        super().__init__()
        self.found = found


def _count(guest: Guest, events: int, now: int, cause: Cause) -> None:
    bucket = Bucket(guest.rate * _SAVED_SECONDS, _SAVED_SECONDS)

    def attempt() -> None:
        kept = _buckets.get(guest.producer_id)
        # Most often it is empty: then nobody need have read it.
        is_so = unchanged(dict(kept), ("empty_at",)) if kept and kept["empty_at"] > now else _is_empty(now)
        try:
            change = bucket.taken(kept, now, events)
        except Full as full:
            seconds = -(-full.wait // 1000)
            raise TooManyEvents(f"More than {guest.rate} events a second. Wait {seconds} s.", retry_after=seconds) from None
        commit = Commit(cause)
        commit.update(tables.eventflow(), tables.rate_key(guest.producer_id), change=change, when=is_so, otherwise=_Busy)
        try:
            commit.write()
        except _Busy as busy:
            _buckets[guest.producer_id] = busy.found or {}
            raise Moved from None
        _buckets[guest.producer_id] = change

    again(attempt, "Many events of this producer arrive at once. Send the same request again.")


def _is_empty(now: int) -> When:
    return when("attribute_not_exists(#empty_at) OR #empty_at <= :now", now=now)
