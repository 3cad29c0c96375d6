"""
Reservations: an order's units are held, sold or given back, all or none, each once.

A reservation is a pending OUTBOUND event in the ledger, whose id follows from the order. Its lines are taken off what
is available when it is made; a sale changes nothing but its status, so that it is one small write and the level of a
hot SKU is written once an order (docs/adr/0003). The status decides every race:

    (none) ─reserve─▶ pending ─commit─▶ posted ─give_back─▶ returned
       │                 └─release / give_back─▶ released
       └─ refused (no stock, or undone before it was made: a late reserve finds the door closed)
"""

from collections.abc import Callable
from typing import Any

from tillflow.contexts.stock import events, placement, store
from tillflow.contexts.stock.models import EventType, ReasonCode
from tillflow.contexts.stock.rules import (
    OUT_OF_STOCK,
    PENDING,
    POSTED,
    REFUSED,
    RELEASED,
    RETURNED,
    Line,
    ReservationRefused,
    opposite,
    variant_id_of,
)
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved, again
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit
from tillflow.values import clock, ids

__all__ = [
    "OUT_OF_STOCK",
    "PENDING",
    "REFUSED",
    "RELEASED",
    "RETURNED",
    "ReservationRefused",
    "commit_sale",
    "give_back",
    "release",
    "reservation_id_of",
    "reserve",
    "standing_of",
    "variant_id_of",
]


class _Exists(Exception):
    """The order has a reservation already, in *status*."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.status = item["status"]


def reservation_id_of(order_id: str) -> str:
    """Return the id of an order's one reservation."""
    return ids.derived("reservation", order_id)


def return_id_of(order_id: str) -> str:
    """Return the id of the event that gives back what an order had bought, if one does."""
    return ids.derived("return", order_id)


def standing_of(order_id: str) -> tuple[str | None, str | None]:
    """Return the status of the order's reservation, and why it was refused; None where there is none."""
    found = store.find_event(reservation_id_of(order_id)) or {}
    return found.get("status"), found.get("refusal")


def reserve(order_id: str, demand: dict[str, int], cause: Cause) -> None:
    """
    Reserve *demand* (units by SKU) for the order, all or nothing; reserving twice is reserving once.

    Raises:
        ReservationRefused: there is not enough, or the order's reservation has been given back.
    """
    try:
        _again(lambda: _try_reserve(order_id, demand, cause))
    except _Exists as exists:
        if exists.status not in (PENDING, POSTED):
            raise ReservationRefused(exists.status) from exists


def _try_reserve(order_id: str, demand: dict[str, int], cause: Cause) -> None:
    try:
        lines = placement.allocate(demand, cause)
    except ReservationRefused as refusal:
        _refuse(order_id, refusal.reason, cause)
        raise
    reservation_id = reservation_id_of(order_id)
    commit = Commit(cause)
    store.add_event(commit, store.event_item(reservation_id, _pending(order_id, PENDING, cause), opposite(lines)), _Exists)
    for line in opposite(lines):
        store.move(commit, line, Moved, for_order=True)
    commit.emit(events.inventory_reserved(order_id, reservation_id, lines))
    commit.write()


def _refuse(order_id: str, reason: str, cause: Cause) -> None:
    """Write down that the order gets no stock: this is decided once."""
    commit = Commit(cause)
    refused = _pending(order_id, REFUSED, cause) | {"refusal": reason}
    store.add_event(commit, store.event_item(reservation_id_of(order_id), refused, ()), _Exists)
    commit.emit(events.inventory_failed(order_id, reason))
    commit.write()


def commit_sale(order_id: str, cause: Cause) -> None:
    """
    Turn the order's reservation into a sale (a posted OUTBOUND/SALE event); doing it twice is doing it once.

    Raises:
        ReservationRefused: there is no reservation, or it was given back.
    """
    commit = Commit(cause)
    change = {"status": POSTED, "posted_at": clock.iso(cause.at)}
    store.turn(commit, reservation_id_of(order_id), PENDING, change, lambda found: _Exists(found or {"status": REFUSED}))
    try:
        commit.write()
    except _Exists as exists:
        if exists.status != POSTED:
            raise ReservationRefused(exists.status) from exists


def release(order_id: str, reason: str, cause: Cause) -> None:
    """Give back what the order still holds, and write the release audit; with nothing held, do nothing."""
    _again(lambda: _try_release(order_id, reason, cause))


def _try_release(order_id: str, reason: str, cause: Cause) -> None:
    found = store.find_event(reservation_id_of(order_id))
    if found and found["status"] == PENDING:
        _release(found, reason, cause)


def _release(found: Item, reason: str, cause: Cause) -> None:
    lines = _held(found)
    commit = _closing(found, RELEASED, reason, cause)
    for line in lines:
        store.move(commit, line, Moved, released=True)
    commit.write()


def give_back(order_id: str, reason: str, cause: Cause) -> None:
    """
    Undo the order's reservation whatever became of it: release what is held, restock what was sold, and close the
    door where there is none yet, so that a step of the saga that comes late reserves nothing.
    """
    _again(lambda: _try_give_back(order_id, reason, cause))


def _try_give_back(order_id: str, reason: str, cause: Cause) -> None:
    # Read once: whoever turns the reservation after this makes the write fail, and it is decided anew.
    found = store.find_event(reservation_id_of(order_id))
    if found is None:
        _close(order_id, reason, cause)
    elif found["status"] == PENDING:
        _release(found, reason, cause)
    elif found["status"] == POSTED:
        _restock(found, reason, cause)


def _close(order_id: str, reason: str, cause: Cause) -> None:
    commit = Commit(cause)
    closed = _pending(order_id, REFUSED, cause) | {"refusal": reason}
    store.add_event(commit, store.event_item(reservation_id_of(order_id), closed, ()), Moved)
    commit.write()


def _restock(found: Item, reason: str, cause: Cause) -> None:
    order_id, lines = found["order_id"], _held(found)
    commit = _closing(found, RETURNED, reason, cause)
    posted = {
        "type": EventType.INBOUND,
        "reason_code": ReasonCode.OTHER,
        "status": POSTED,
        "order_id": order_id,
        "notes": f"Return of order {order_id}",
        **_authorship(cause),
    }
    store.add_event(commit, store.event_item(return_id_of(order_id), posted, lines), Moved)
    for line in lines:
        store.move(commit, line, Moved)
    commit.write()


def _closing(found: Item, after: str, reason: str, cause: Cause) -> Commit:
    """Return a commit that turns the reservation, which then is its own audit record, and tells of it."""
    order_id = found["order_id"]
    reservation_id, release_id = reservation_id_of(order_id), ids.derived("release", order_id)
    marks = {"status": after, "release_id": release_id, "release_reason": reason, **store.release_marks(order_id, cause.at)}
    # It is part of the order's story, whoever asked for it.
    commit = Commit(Cause(cause.user_id, cause.roles, found["trace_id"], cause.at))
    store.turn(commit, reservation_id, found["status"], marks, Moved)
    commit.emit(events.inventory_released(release_id, order_id, reservation_id, reason, _held(found)))
    return commit


def _pending(order_id: str, status: str, cause: Cause) -> Item:
    return {
        "type": EventType.OUTBOUND,
        "reason_code": ReasonCode.SALE,
        "status": status,
        "order_id": order_id,
        **_authorship(cause),
    }


def _held(reservation: Item) -> list[Line]:
    """Return the units a reservation holds; the ledger has them negative, for they are to leave."""
    return opposite(store.lines_of(reservation))


def _authorship(cause: Cause) -> dict[str, Any]:
    return {"occurred_at": clock.iso(cause.at), "created_by": cause.user_id, "trace_id": cause.trace_id}


def _again(attempt: Callable[[], None]) -> None:
    """Decide anew whenever the world moved between reading and writing."""
    again(attempt, "Too many orders want the same stock at this moment. Try again.")
