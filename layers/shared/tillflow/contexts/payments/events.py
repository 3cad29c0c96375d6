"""The events that payments cause (contract: event-contracts.md)."""

from tillflow.messaging.envelope import Event

SOURCE = "tillflow.payments"
PAYMENT_SUCCEEDED = "PaymentSucceeded"
PAYMENT_FAILED = "PaymentFailed"


def payment_succeeded(order_id: str, payment_id: str) -> Event:
    """Return `PaymentSucceeded`: the order's total was charged, once."""
    return Event(SOURCE, PAYMENT_SUCCEEDED, {"order_id": order_id, "payment_id": payment_id})


def payment_failed(order_id: str, payment_id: str, reason: str) -> Event:
    """Return `PaymentFailed`: the gateway declined the charge, for a *reason* of its own."""
    return Event(SOURCE, PAYMENT_FAILED, {"order_id": order_id, "payment_id": payment_id, "reason": reason})
