"""Orders: load, decide, commit."""

import hmac
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import ValidationError

from tillflow.contexts.orders import events, rules, store
from tillflow.contexts.orders.models import CartSnapshot
from tillflow.contexts.orders.rules import (
    CANCELED,
    CONFIRMED,
    FAILED,
    PENDING,
    InvalidSnapshot,
    NotYourSnapshot,
    Order,
    OrderAlreadyFinalized,
    OrderClosed,
    OrderNotFound,
    OrderUnreadable,
    SnapshotAlreadyOrdered,
)
from tillflow.messaging.envelope import Cause
from tillflow.runtime import secrets
from tillflow.runtime.config import number
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import Once, Reply
from tillflow.values import clock, jsontext
from tillflow.web.validation import problems

_SIGNING = "CART_SNAPSHOT_SECRET_ARN"
# What DynamoDB may be asked to keep of one cart: far below an item's 400 KB, far above any real cart.
_MAX_SNAPSHOT_BYTES = 100_000

__all__ = [
    "CANCELED",
    "CONFIRMED",
    "PENDING",
    "Order",
    "OrderClosed",
    "OrderNotFound",
    "OrderUnreadable",
    "cancel",
    "check_open",
    "confirm",
    "create",
    "fail",
    "find",
    "overdue",
    "postpone",
    "settle",
    "unsettled",
]

find = store.find
unsettled = store.unsettled


def check_open(order: Order) -> None:
    """
    Go on only if the order's saga may go forward.

    Raises:
        OrderClosed: it has failed or was canceled.
    """
    if order.status in (FAILED, CANCELED):
        raise OrderClosed(f"The order is {order.status}.")


def create(snapshot: dict[str, Any], payment_token: str | None, cause: Cause, once: Once) -> Reply:
    """
    Turn a signed cart snapshot into a pending order, once.

    Raises:
        InvalidSnapshot: it is malformed, not signed by the cart service, inconsistent or too old.
        NotYourSnapshot: it belongs to another user than the caller.
        SnapshotAlreadyOrdered: it has become an order under another key.
    """

    def command() -> Reply:
        order = _place(snapshot, payment_token, cause)
        reply = Reply(201, {"orderId": order.order_id})
        commit = Commit(cause)
        store.add(commit, order, partial(_already_ordered, order))
        once.remember(commit, cause, reply)
        commit.emit(events.order_created(order), events.order_placed(order))
        commit.write()
        return reply

    return once.run(command)


def _already_ordered(order: Order, owner: str | None) -> SnapshotAlreadyOrdered:
    # The order's id is its owner's business.
    known = {"orderId": order.order_id} if owner == order.user_id else {}
    return SnapshotAlreadyOrdered("This snapshot has become an order already. To order again, sign a new one.", **known)


def _place(snapshot: dict[str, Any], payment_token: str | None, cause: Cause) -> Order:
    try:
        cart = CartSnapshot.model_validate(snapshot)
    except ValidationError as error:
        raise InvalidSnapshot(f"cartSnapshot: {problems(error)}") from error
    _check_signature(snapshot, cart.signature)
    if len(jsontext.dumps(snapshot).encode()) > _MAX_SNAPSHOT_BYTES:
        raise InvalidSnapshot(f"The snapshot has more than {_MAX_SNAPSHOT_BYTES} bytes.")
    rules.check_totals(cart)
    if cart.userId is not None and cart.userId != cause.user_id:
        raise NotYourSnapshot("This cart snapshot belongs to another user.")
    rules.check_age(cart, cause.at, timedelta(seconds=number("CART_SNAPSHOT_MAX_AGE_SECONDS", 86_400)))
    return Order(
        order_id=rules.order_id_of(snapshot["snapshotId"]),
        status=PENDING,
        user_id=cause.user_id,
        roles=cause.roles,
        snapshot=snapshot,
        trace_id=cause.trace_id,
        created_at=cause.at,
        updated_at=cause.at,
        payment_token=payment_token,
    )


def _check_signature(snapshot: dict[str, Any], signature: str) -> None:
    for secret in secrets.versions(_SIGNING):
        if hmac.compare_digest(rules.sign(snapshot, secret), signature):
            return
    raise InvalidSnapshot("The snapshot's signature is not the cart service's.")


def cancel(order_id: str, reason: str | None, cause: Cause) -> Order:
    """
    Cancel a pending or confirmed order; refund and restock follow.

    Raises:
        OrderNotFound: there is no such order.
        OrderAlreadyFinalized: it has failed or is canceled; the error carries the order.
    """
    order = rules.cancel(store.find(order_id), reason, cause.at)
    # The trace of the order goes on: what is undone is part of its story, whoever asked for it.
    commit = Commit(Cause(cause.user_id, cause.roles, order.trace_id, cause.at))
    store.cancel(commit, order)
    commit.emit(events.order_canceled(order))
    try:
        commit.write()
    except OrderAlreadyFinalized as refusal:
        # An answer may have been lost and the saga gone on since: what we canceled at this moment is no refusal.
        stands = refusal.extra["order"]
        if (stands["canceledAt"], stands["cancellationReason"]) != (clock.iso(cause.at), reason):
            raise
    return order


class _StandsAs(Exception):
    """The order already has another status."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


def confirm(order_id: str, cause: Cause) -> bool:
    """
    Confirm a pending order and return whether it was this that did; confirming twice is confirming once.

    Raises:
        OrderClosed: it has failed or was canceled meanwhile.
    """
    commit = Commit(cause)
    store.confirm(commit, order_id, cause.at, otherwise=_StandsAs)
    try:
        commit.write()
    except _StandsAs as stands:
        if stands.status != CONFIRMED:
            raise OrderClosed(f"The order is {stands.status}.") from stands
        return False
    return True


def fail(order_id: str, reason: str, decline_code: str | None, cause: Cause, *, holds_stock: bool, to_undo: bool) -> str:
    """
    Fail a pending order and return the status that it had: `pending`, or what had come before.

    *decline_code* is the gateway's word, where a card was declined.
    *holds_stock*: its stock is asked back on the bus too; *to_undo*: it is settled only when that has been done.
    """
    commit = Commit(cause)
    change = {"failure_reason": reason} | ({"decline_code": decline_code} if decline_code else {})
    store.fail(commit, order_id, change, cause.at, settled=not to_undo, otherwise=_StandsAs)
    if holds_stock:
        commit.emit(events.inventory_release_requested(order_id, reason))
    try:
        commit.write()
    except _StandsAs as stands:
        return stands.status
    return PENDING


def settle(order_id: str, cause: Cause) -> None:
    """Note that nothing is left to undo of a failed or canceled order."""
    commit = Commit(cause)
    store.settle(commit, order_id, otherwise=_StandsAs)
    try:
        commit.write()
    except _StandsAs:
        return  # Confirmed: it was settled by that.


def overdue() -> Iterator[str]:
    """Yield the id of each order whose saga should have ended by now."""
    return store.due(clock.now())


def postpone(order_id: str, cause: Cause) -> None:
    """Give an order whose saga was started again another deadline, unless it is settled meanwhile."""
    commit = Commit(cause)
    store.postpone(commit, order_id, cause.at, otherwise=_StandsAs)
    try:
        commit.write()
    except _StandsAs:
        return
