"""Answers about orders (contract: orders-service.md)."""

from datetime import datetime
from typing import Literal, NotRequired, TypedDict
from uuid import UUID

from tillflow.contexts.orders.models import CartSnapshot, CartTotals, Status
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
    status: Status
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


class OrderPage(TypedDict):
    """
    Orders, newest first, each as it is shown alone.

    Ask again with `next_token` for what follows: a page may be short, or empty, and still have one. Null is the end.
    """

    items: list[Order]
    next_token: str | None


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
