"""Requests, answers and events of stock (contracts: stock-events.md, event-contracts.md)."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from tillflow.web.validation import PRINTABLE, VISIBLE, Body, Lax, Model, Moment, Window

MAX_LINES = 90
MAX_UNITS = 1_000_000_000
MAX_PAGE_SIZE = 100
MAX_EXPORT = 10_000
# A reason comes from whoever asks for a release, and an answer holds many of them.
MAX_REASON_LENGTH = 200

type Name = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]
type Code = Annotated[str, Field(min_length=1, max_length=64, pattern=VISIBLE)]
type Units = Annotated[int, Field(ge=-MAX_UNITS, le=MAX_UNITS)]


class EventType(StrEnum):
    """What a stock event does to the units on hand."""

    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"
    ADJUST = "ADJUST"


class ReasonCode(StrEnum):
    """Why units moved."""

    PURCHASE = "PURCHASE"
    SALE = "SALE"
    COUNT_CORRECTION = "COUNT_CORRECTION"
    DAMAGE = "DAMAGE"
    DISCARD_EXPIRED = "DISCARD_EXPIRED"
    OTHER = "OTHER"


class CreateWarehouse(Body):
    """A place that holds stock. Sellers may move stock only where *sellerIds* names them."""

    code: Code
    name: Name
    sellerIds: Annotated[list[Name], Field(max_length=100)] = []  # noqa: RUF012 - pydantic copies it


class CreateVariant(Body):
    """Something that can be stocked and sold under its SKU; after *expiresAt* it is not sold."""

    sku: Code
    name: Name
    active: bool = True
    expiresAt: Moment | None = None


class StockEventLine(Body):
    """One variant's movement: positive for INBOUND and OUTBOUND, positive or negative for ADJUST."""

    variantId: Lax[UUID]
    quantity: Units


class CreateStockEvent(Body):
    """Body of POST /api/v1/stock-events."""

    type: Lax[EventType]
    warehouseId: Lax[UUID]
    occurredAt: Moment | None = None
    reasonCode: Lax[ReasonCode] | None = None
    notes: Annotated[str, Field(max_length=500)] | None = None
    lines: Annotated[list[StockEventLine], Field(min_length=1, max_length=MAX_LINES)]


class ReleaseQuery(Window):
    """Which releases: of one order, and within [*from*, *to*] (ISO 8601; both ends included)."""

    orderId: UUID | None = None


class ReleasePageQuery(ReleaseQuery):
    """The same, a page of it."""

    page: Annotated[int, Field(ge=0, le=100_000)] = 0
    size: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = 20


class ReleaseExportQuery(ReleaseQuery):
    """The same, up to *limit* releases."""

    limit: Annotated[int, Field(ge=1, le=MAX_EXPORT)] = 1000


class ReleaseRequest(Model):
    """What the stock context needs of `InventoryReleaseRequested`, whoever sent it."""

    order_id: UUID
    reason: Annotated[str, AfterValidator(lambda reason: reason[:MAX_REASON_LENGTH])]


class MovedItem(Model):
    """Units of one SKU."""

    sku_id: str
    quantity: int


class InventoryReserved(Model):
    """Data of `InventoryReserved`."""

    order_id: UUID
    reservation_id: UUID
    reserved_items: list[MovedItem]


class InventoryFailed(Model):
    """Data of `InventoryFailed`: nothing was reserved, so *reservation_id* is null."""

    order_id: UUID
    reservation_id: UUID | None
    reason: str


class InventoryReleased(Model):
    """Data of `InventoryReleased`."""

    release_id: UUID
    order_id: UUID
    reservation_id: UUID
    reason: str
    released_items: list[MovedItem]
