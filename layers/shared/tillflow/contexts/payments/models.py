"""Event data of payments (contract: event-contracts.md)."""

from uuid import UUID

from tillflow.web.validation import Model


class PaymentSucceeded(Model):
    """Data of `PaymentSucceeded`."""

    order_id: UUID
    payment_id: UUID


class PaymentFailed(Model):
    """Data of `PaymentFailed`."""

    order_id: UUID
    payment_id: UUID
    reason: str
