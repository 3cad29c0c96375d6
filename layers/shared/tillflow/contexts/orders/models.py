"""Requests and events of orders (contracts: orders-service.md, event-contracts.md)."""

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from tillflow.values.money import MINOR_DIGITS
from tillflow.web.openapi import ShownAs
from tillflow.web.paging import MAX_TOKEN_LENGTH
from tillflow.web.validation import PRINTABLE, VISIBLE, Body, Lax, Model, Moment, UserId, Window

MAX_LINES = 50
MAX_QUANTITY = 10_000
MAX_UNIT_PRICE_CENTS = 1_000_000_000
MAX_PAGE_SIZE = 100

Status = Literal["pending", "confirmed", "failed", "canceled"]

type Text = Annotated[str, Field(min_length=1, max_length=255, pattern=PRINTABLE)]
type Count = Annotated[int, Field(ge=0)]


def _in_use(currency: str) -> str:
    if currency not in MINOR_DIGITS:
        raise ValueError("ISO 4217 has no such currency to pay in")
    return currency


class CartItem(Model):
    """One line of the cart; the price is in minor units of the cart's currency."""

    model_config = ConfigDict(strict=True, extra="allow")

    skuId: Annotated[str, Field(min_length=1, max_length=64, pattern=VISIBLE)]
    title: Annotated[str, Field(max_length=500)]
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
    unitPriceCents: Annotated[int, Field(ge=0, le=MAX_UNIT_PRICE_CENTS)]


class CartTotals(Model):
    """What the lines add up to."""

    model_config = ConfigDict(strict=True, extra="allow")

    itemCount: Count
    totalQuantity: Count
    subtotalCents: Count
    currency: str


class CartSnapshot(Model):
    """The cart as the cart service signed it. Fields beyond these are kept and are part of what is signed."""

    model_config = ConfigDict(strict=True, extra="allow")

    snapshotId: Lax[UUID]
    cartId: Lax[UUID]
    cartVersion: Count
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_in_use)]
    items: Annotated[list[CartItem], Field(min_length=1, max_length=MAX_LINES)]
    totals: CartTotals
    createdAt: Moment
    userId: Text | None = None
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    pricingSnapshot: dict[str, Any] | None = None


class CreateOrder(Body):
    """Body of POST /api/orders. The snapshot is checked apart: what is signed is its text, not this model."""

    cartSnapshot: Annotated[dict[str, Any], ShownAs(CartSnapshot)]
    paymentToken: Text | None = None


class CancelOrder(Body):
    """Body of POST /api/orders/{orderId}/cancel; may be empty."""

    reason: Annotated[str, Field(max_length=500)] | None = None


class OrdersQuery(Window):
    """Which orders: of one user, in one status, placed within [*from*, *to*] (ISO 8601; both ends included)."""

    userId: UserId | None = None
    status: Status | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = 20
    next_token: Annotated[str, Field(max_length=MAX_TOKEN_LENGTH)] | None = None


class OrderedItem(Model):
    """A line in `OrderCreated`; *price* is the decimal unit price."""

    sku_id: str
    quantity: int
    price: Decimal


class OrderCreated(Model):
    """Data of `OrderCreated`: amounts are decimals of the order's currency."""

    order_id: UUID
    user_id: str
    items: list[OrderedItem]
    total_amount: Decimal


class OrderPlaced(Model):
    """Data of `orders.order_placed.v1`."""

    order_id: UUID
    user_id: str
    snapshot_id: UUID
    currency: str
    item_count: int
    total_quantity: int
    subtotal_cents: int


class OrderCanceled(Model):
    """Data of `orders.order_canceled.v1`."""

    order_id: UUID
    user_id: str
    reason: str | None
    canceled_at: AwareDatetime


class InventoryReleaseRequested(Model):
    """Data of `InventoryReleaseRequested`: give back what the order holds."""

    order_id: UUID
    reason: str
