"""Event data of payments (contract: event-contracts.md)."""

from uuid import UUID

from pydantic import BaseModel


class PaymentSucceeded(BaseModel):
    """Data of `PaymentSucceeded`."""

    order_id: UUID
    payment_id: UUID


class PaymentFailed(BaseModel):
    """Data of `PaymentFailed`."""

    order_id: UUID
    payment_id: UUID
    reason: str
