"""Orders: what a cart becomes, and which way an order may go. No I/O, no clock."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import rfc8785

from tillflow.contexts.orders.models import CartSnapshot
from tillflow.errors import Conflict, Forbidden, Invalid, NotFound, StepRefused, TillflowError
from tillflow.values import clock, ids

PENDING, CONFIRMED, FAILED, CANCELED = "pending", "confirmed", "failed", "canceled"
CANCELABLE = (PENDING, CONFIRMED)

# A cart service's clock may run ahead of ours by this much.
_CLOCK_SKEW = timedelta(minutes=5)


class InvalidSnapshot(Invalid):
    """The cart snapshot cannot become an order (contract: orders-service.md)."""

    code = "INVALID_SNAPSHOT"
    title = "Invalid snapshot payload"


class NotYourSnapshot(Forbidden):
    """The cart belongs to somebody else."""

    code = "SNAPSHOT_NOT_YOURS"


class SnapshotAlreadyOrdered(Conflict):
    """One snapshot makes at most one order."""

    code = "SNAPSHOT_ALREADY_ORDERED"
    title = "Snapshot already ordered"


class OrderUnreadable(TillflowError):
    """What is stored under an order's key is none of ours: a person must look."""


class OrderNotFound(NotFound):
    """There is no such order."""

    code = "ORDER_NOT_FOUND"
    title = "Order not found"


class OrderAlreadyFinalized(Conflict):
    """The order has ended and cannot be canceled; the error body carries the `order`."""

    code = "ORDER_ALREADY_FINALIZED"
    title = "Order already finalized"


class OrderClosed(StepRefused):
    """The saga found the order failed or canceled: what it did must be undone."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order: its *snapshot* is the signed cart, whole, *roles* those its user had then; times are UTC."""

    order_id: str
    status: str
    user_id: str
    roles: tuple[str, ...]
    snapshot: Mapping[str, Any]
    trace_id: str
    created_at: datetime
    updated_at: datetime
    payment_token: str | None = None
    failure_reason: str | None = None
    decline_code: str | None = None
    cancellation_reason: str | None = None
    canceled_at: datetime | None = None

    @property
    def currency(self) -> str:
        """The ISO 4217 currency of every amount in the order."""
        return str(self.snapshot["currency"])

    @property
    def total(self) -> int:
        """The amount to charge, in minor units."""
        return int(self.snapshot["totals"]["subtotalCents"])

    @property
    def demand(self) -> dict[str, int]:
        """The units wanted of each SKU; several lines of one SKU are one demand."""
        wanted: dict[str, int] = {}
        for line in self.snapshot["items"]:
            wanted[line["skuId"]] = wanted.get(line["skuId"], 0) + line["quantity"]
        return wanted


def order_id_of(snapshot_id: str) -> str:
    """Return the id of the one order that a snapshot can become."""
    return ids.derived("order", ids.canonical(snapshot_id))


def sign(snapshot: Mapping[str, Any], secret: bytes) -> str:
    """
    Return a snapshot's signature: hexadecimal HMAC-SHA256 over its RFC 8785 canonical JSON without `signature`.

    Raises:
        InvalidSnapshot: it has no canonical form (integers beyond 2^53, lone surrogates).
    """
    try:
        canonical = rfc8785.dumps({name: value for name, value in snapshot.items() if name != "signature"})
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        # Not the error's own words: they repeat the number, however long.
        raise InvalidSnapshot("The snapshot has no RFC 8785 canonical form: it has a number beyond 2^53, or odd text.") from error
    return hmac.digest(secret, canonical, "sha256").hex()


def check_totals(snapshot: CartSnapshot) -> None:
    """
    Go on only if the totals follow from the items.

    Raises:
        InvalidSnapshot: they do not; the message says which.
    """
    expected = {
        "itemCount": len(snapshot.items),
        "totalQuantity": sum(item.quantity for item in snapshot.items),
        "subtotalCents": sum(item.quantity * item.unitPriceCents for item in snapshot.items),
        "currency": snapshot.currency,
    }
    for name, value in expected.items():
        if getattr(snapshot.totals, name) != value:
            raise InvalidSnapshot(f"totals.{name} does not follow from the items; it should be {value}.")


def check_age(snapshot: CartSnapshot, at: datetime, max_age: timedelta) -> None:
    """
    Go on only if the snapshot was made within *max_age* before *at*.

    Raises:
        InvalidSnapshot: it is older, or from the future.
    """
    age = at - snapshot.createdAt
    if age > max_age:
        raise InvalidSnapshot(f"The snapshot is older than {int(max_age.total_seconds())} seconds. Sign the cart again.")
    if age < -_CLOCK_SKEW:
        raise InvalidSnapshot("The snapshot's createdAt lies in the future.")


def cancel(order: Order, reason: str | None, at: datetime) -> Order:
    """
    Return *order* canceled.

    Raises:
        OrderAlreadyFinalized: it is neither pending nor confirmed.
    """
    if order.status not in CANCELABLE:
        raise already_finalized(order)
    return replace(order, status=CANCELED, cancellation_reason=reason, canceled_at=at, updated_at=at)


def already_finalized(order: Order) -> OrderAlreadyFinalized:
    """Return the refusal to cancel *order*, which it carries."""
    already = "is canceled already" if order.status == CANCELED else f"has {order.status}, so there is nothing to cancel"
    return OrderAlreadyFinalized(f"The order {already}.", order=present(order))


def present(order: Order) -> dict[str, Any]:
    """Return the order as the contract represents it (orders-service.md), with `failureReason` and `declineCode` besides."""
    return {
        "id": order.order_id,
        "status": order.status,
        "currency": order.currency,
        "userId": order.user_id,
        "totals": order.snapshot["totals"],
        "cartSnapshot": order.snapshot,
        "failureReason": order.failure_reason,
        "declineCode": order.decline_code,
        "cancellationReason": order.cancellation_reason,
        "canceledAt": clock.iso(order.canceled_at) if order.canceled_at else None,
        "createdAt": clock.iso(order.created_at),
        "updatedAt": clock.iso(order.updated_at),
    }
