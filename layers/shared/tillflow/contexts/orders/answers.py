"""Answers about orders (contract: orders-service.md)."""

from datetime import datetime
from typing import Literal, NotRequired, TypedDict
from uuid import UUID

from tillflow.contexts.orders.models import CartSnapshot, CartTotals
from tillflow.web.openapi import ErrorBody

FailureReason = Literal[
    "OUT_OF_STOCK",
    "UNKNOWN_SKU",
    "VARIANT_INACTIVE",
    "VARIANT_EXPIRED",
    "STOCK_RELEASED",
    "PAYMENT_FAILED",
    "PROCESSING_FAILED",
]


class PlacedOrder(TypedDict):
    """The order that the cart has become."""

    orderId: UUID


class Order(TypedDict):
    """
    An order; `cartSnapshot` is the cart as it was signed, whole.

    `failureReason` says why it failed; `declineCode` is the payment gateway's word for why the card was declined, e.g.
    `insufficient_funds`.
    """

    id: UUID
    status: Literal["pending", "confirmed", "failed", "canceled"]
    currency: str
    userId: str
    totals: CartTotals
    cartSnapshot: CartSnapshot
    failureReason: FailureReason | None
    declineCode: str | None
    cancellationReason: str | None
    canceledAt: datetime | None
    createdAt: datetime
    updatedAt: datetime


class CanceledOrder(TypedDict):
    """The order as it is now; refund and restock follow."""

    status: Literal["canceled"]
    order: Order


class AlreadyOrdered(ErrorBody):
    """The error body, with the order that the cart has become where it is the caller's."""

    orderId: NotRequired[UUID]  # noqa: N815 - the wire's name


class FinalizedOrder(ErrorBody):
    """The error body, with the order as it stands."""

    order: Order
