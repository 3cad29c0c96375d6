"""
Payments: an order is charged at most once, and nobody is charged for an order that fails.

The payment's status decides every race between a charge and its undoing:

    (none) ─charge─▶ succeeded ─refund─▶ refunded
       ├─ failed    the card was declined
       └─ voided    undone before it was charged: a charge that comes late takes itself back
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tillflow.contexts.payments import events, store
from tillflow.contexts.payments.gateway import CardDeclined, ChargeRequest
from tillflow.contexts.payments.gateways import gateway
from tillflow.errors import StepRefused
from tillflow.messaging.envelope import Cause
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit
from tillflow.values import clock, ids

SUCCEEDED, FAILED, VOIDED, REFUNDED = "succeeded", "failed", "voided", "refunded"
_FREE = "free"
# A gateway knows an idempotency key for a day (Stripe): a later charge under it could be a second one.
_CHARGEABLE = timedelta(hours=20)


class PaymentRefused(StepRefused):
    """The order is not paid, and will not be: its payment is `failed`, `voided` or `refunded`, or it is too old."""


class _Exists(Exception):
    """The order has a payment already."""

    def __init__(self, item: Item | None = None) -> None:
        super().__init__()
        self.item = item or {}


@dataclass(frozen=True, slots=True)
class Bill:
    """What an order *since* then costs: *amount* in minor units of *currency*, from *payment_token* (None: default)."""

    order_id: str
    amount: int
    currency: str
    payment_token: str | None
    since: datetime

    def request(self) -> ChargeRequest:
        """Return the charge. One order has one attempt, so its id is the gateway's idempotency key."""
        return ChargeRequest(self.order_id, self.order_id, self.amount, self.currency, self.payment_token or "")


def payment_id_of(order_id: str) -> str:
    """Return the id of an order's one payment."""
    return ids.derived("payment", order_id)


def decline_of(order_id: str) -> str | None:
    """Return the gateway's word for why the order's card was declined (e.g. `insufficient_funds`), or None if it was not."""
    found = store.find(order_id)
    return found["reason"] if found and found["status"] == FAILED else None


def charge(bill: Bill, cause: Cause) -> None:
    """
    Charge the order; charging twice is charging once.

    Raises:
        PaymentRefused: the card was declined, the payment has been undone, or the order is too old to charge.
        GatewayUnavailable: whether it was charged is not known.
    """
    found = store.find(bill.order_id)
    if found is None:
        if cause.at - bill.since > _CHARGEABLE:
            raise PaymentRefused("The order is too old to charge: the gateway may have forgotten its key.")
        found = _charge(bill, cause)
    if found["status"] == VOIDED:
        _take_back(bill, None)
    if found["status"] != SUCCEEDED:
        why = f": {found['reason']}" if "reason" in found else ""
        raise PaymentRefused(f"The order's payment is {found['status']}{why}.")


def _charge(bill: Bill, cause: Cause) -> Item:
    """Charge at the gateway and return the payment that stands then: this one, or one that came first."""
    payment_id = payment_id_of(bill.order_id)
    try:
        reference = gateway().charge(bill.request()).reference if bill.amount else _FREE
        payment = _payment(SUCCEEDED, bill, cause.at, reference=reference)
        event = events.payment_succeeded(bill.order_id, payment_id)
    except CardDeclined as declined:
        payment = _payment(FAILED, bill, cause.at, reason=declined.reason)
        event = events.payment_failed(bill.order_id, payment_id, declined.reason)
    commit = Commit(cause)
    store.add(commit, bill.order_id, payment, _Exists)
    commit.emit(event)
    try:
        commit.write()
    except _Exists as exists:
        return exists.item
    return payment


def refund(bill: Bill, cause: Cause) -> None:
    """
    Undo the order's payment, whatever became of it; a charge that comes later takes itself back.

    Raises:
        GatewayUnavailable: it is not known to be undone; call again.
    """
    found = store.find(bill.order_id)
    if found is None:
        found = _void(bill, cause)
    if found["status"] == VOIDED:
        # Also where the door was closed before: whoever closed it may have ended before this.
        _take_back(bill, None)
    if found["status"] == SUCCEEDED:
        _take_back(bill, found["reference"])
        commit = Commit(cause)
        store.turn(commit, bill.order_id, SUCCEEDED, REFUNDED, cause.at, _Exists)
        try:
            commit.write()
        except _Exists:
            return  # Another run of the saga has refunded it.


def _void(bill: Bill, cause: Cause) -> Item:
    """Close the door to a charge that comes later; return the payment that stands."""
    payment = _payment(VOIDED, bill, cause.at)
    commit = Commit(cause)
    store.add(commit, bill.order_id, payment, _Exists)
    try:
        commit.write()
    except _Exists as exists:
        return exists.item
    return payment


def _take_back(bill: Bill, reference: str | None) -> None:
    if bill.amount and reference != _FREE:
        gateway().cancel(bill.request(), reference)


def _payment(status: str, bill: Bill, at: datetime, *, reference: str | None = None, reason: str | None = None) -> Item:
    return {
        "status": status,
        "amount": bill.amount,
        "currency": bill.currency,
        "reference": reference,
        "reason": reason,
        "created_at": clock.iso(at),
        "updated_at": clock.iso(at),
    }
