"""Taking in events from outside: one conditional put, from which everything follows (the table's stream publishes it)."""

from typing import Any

from tillflow.contexts.eventflow import eventlog, rules, schemas, tables
from tillflow.contexts.eventflow.door import Guest
from tillflow.contexts.eventflow.models import SendEvent
from tillflow.messaging.envelope import VERSION, Cause
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, when
from tillflow.storage.idempotency import KeyReused, Reply
from tillflow.values import clock, ids

# Who an event happens on behalf of, where nobody else is known.
ROLE = "producer"


class _There(Exception):
    """This event was taken in before."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item


def accept(guest: Guest, wanted: SendEvent, key: str | None, arrived: int, cause: Cause) -> Reply:
    """
    Take in an event that *arrived* then (milliseconds since 1970); under a *key* once, for as long as events are kept.

    Raises:
        ReservedEventType: it is one of the product's own types.
        PayloadTooLarge, TooDeep, TooBigANumber: its payload is not one that every carrier takes.
        SchemaViolation: it is not as its type's schema has it.
        KeyReused: another event was sent under this key.
    """
    rules.check_type(wanted.event_type)
    rules.check_payload(wanted.payload)
    schemas.check(wanted.event_type, wanted.event_version, wanted.payload, guest.stamp)
    envelope = _sealed(guest, wanted, key, arrived, cause)
    commit = Commit(cause)
    commit.put(
        tables.events(),
        eventlog.from_outside(f"{eventlog.OUTSIDE}{guest.producer_id}", envelope),
        when=when("attribute_not_exists(#pk) OR #expires_at <= :now", now=clock.epoch(cause.at)),
        otherwise=lambda found: _There(found or {}),
    )
    try:
        commit.write()
    except _There as there:
        return Reply(202, _taken(_same(there.item, envelope, is_dated=wanted.occurred_at is not None)), replayed=True)
    return Reply(202, _taken(envelope))


def _sealed(guest: Guest, wanted: SendEvent, key: str | None, arrived: int, cause: Cause) -> dict[str, Any]:
    # API Gateway's clock is the same for all: in the order of these moments events are listed.
    received_at = clock.iso(clock.from_milliseconds(arrived))
    return {
        "event_id": ids.derived("event", f"{guest.producer_id}:{key}") if key else ids.new(),
        "event_type": wanted.event_type,
        "occurred_at": clock.iso(wanted.occurred_at) if wanted.occurred_at else received_at,
        "trace_id": cause.trace_id,
        "identity": {"user_id": guest.producer_id, "roles": [ROLE]},
        "data": wanted.payload,
        "version": VERSION,
        "event_version": wanted.event_version,
        "received_at": received_at,
    }


def _same(item: Item, envelope: dict[str, Any], *, is_dated: bool) -> dict[str, Any]:
    """Return when an event was taken in before, if it is the one that is sent now."""
    there = eventlog.of_item(item)
    sent = (envelope["event_type"], envelope["event_version"], envelope["occurred_at"] if is_dated else there.occurred_at)
    if there.payload is None:
        says_same = item["print"] == eventlog.print_of(there.event_id, envelope["data"])
    else:
        says_same = eventlog.said(there.payload) == eventlog.said(envelope["data"])
    if not says_same or sent != (there.event_type, there.event_version, there.occurred_at):
        raise KeyReused("This idempotency key was used for a different event. Use a new key.")
    return {"event_id": there.event_id, "received_at": there.received_at}


def _taken(envelope: dict[str, Any]) -> dict[str, Any]:
    return {"event_id": envelope["event_id"], "status": "ACCEPTED", "received_at": envelope["received_at"]}
