"""Requests, answers and events of stock (contracts: stock-events.md, event-contracts.md)."""

import re
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from tillflow.values import clock
from tillflow.web.numbered import PageQuery
from tillflow.web.validation import PRINTABLE, VISIBLE, Body, Lax, Model, Moment, Query, UserId, Window, Written

MAX_LINES = 90
# Each is two levels of one transaction, beside two events and a key (DynamoDB: 100 actions).
MAX_TRANSFER_LINES = 45
MAX_UNITS = 1_000_000_000
MAX_SHARDS = 256
MAX_PAGE_SIZE = 100
MAX_EXPORT = 10_000
MAX_IMPORT_ROWS = 10_000
MAX_NOTES = 500
# One transaction names them all where a warehouse is created, beside it and its key (DynamoDB: 100 actions).
MAX_SELLERS = 98
# A reason comes from whoever asks for a release, and an answer holds many of them.
MAX_REASON_LENGTH = 200

type Name = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]
type Code = Annotated[str, Field(min_length=1, max_length=64, pattern=VISIBLE)]
type Units = Annotated[int, Field(ge=-MAX_UNITS, le=MAX_UNITS)]
type Notes = Annotated[str, Field(max_length=MAX_NOTES)]

_WHOLE = re.compile(r"[+-]?[0-9]{1,10}")


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


class WarehouseFields(Body):
    """
    What can be changed of a warehouse: while it is not *active*, nothing comes in, goes out or is reserved there.

    What orders have reserved there is sold all the same, or given back.
    """

    name: Name
    active: bool = True


class CreateWarehouse(WarehouseFields):
    """A place that holds stock. Sellers may move stock only where *sellerIds* names them."""

    code: Code
    sellerIds: Annotated[list[UserId], Field(max_length=MAX_SELLERS)] = []  # noqa: RUF012 - pydantic copies it


class Seller(Query):
    """Whom the path names: a seller, by the id that their tokens carry."""

    userId: UserId


class VariantFields(Body):
    """
    What can be changed of a variant: it is not sold while it is not *active*, nor after *expiresAt*.

    Its units are counted in *shards*, each of which sells as many a second as one item of DynamoDB can be written to.
    """

    name: Name
    active: bool = True
    expiresAt: Moment | None = None
    shards: Annotated[int, Field(ge=1, le=MAX_SHARDS)] = 1


class CreateVariant(VariantFields):
    """Something that can be stocked and sold under its SKU; after *expiresAt* it is not sold."""

    sku: Code


class WarehouseQuery(PageQuery):
    """Which warehouses: those whose code begins with *code*, and that are *active* or not."""

    code: Code | None = None
    active: bool | None = None


class VariantQuery(PageQuery):
    """Which variants: those whose SKU begins with *sku*, and that are *active* or not."""

    sku: Code | None = None
    active: bool | None = None


class LevelQuery(PageQuery):
    """Which variants' levels: of those whose SKU begins with *sku*."""

    sku: Code | None = None


class SetReorderPoint(Body):
    """Body of PUT …/reorder-point: fewer than *quantity* available units are low."""

    quantity: Annotated[int, Field(ge=1, le=MAX_UNITS)]


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
    notes: Notes | None = None
    lines: Annotated[list[StockEventLine], Field(min_length=1, max_length=MAX_LINES)]


class CreateTransfer(Body):
    """Body of POST /api/v1/stock-transfers: the lines leave one warehouse and come into another."""

    fromWarehouseId: Lax[UUID]
    toWarehouseId: Lax[UUID]
    occurredAt: Moment | None = None
    notes: Notes | None = None
    lines: Annotated[list[StockEventLine], Field(min_length=1, max_length=MAX_TRANSFER_LINES)]

    @field_validator("toWarehouseId")
    @classmethod
    def _elsewhere(cls, target: UUID, known: ValidationInfo) -> UUID:
        if target == known.data.get("fromWarehouseId"):
            raise ValueError("a transfer goes to another warehouse than it comes from")
        return target


class ImportQuery(Query):
    """With *dryRun*, nothing is recorded: the rows are told what would become of them."""

    dryRun: bool = False


class ImportRowsQuery(PageQuery):
    """Which rows of an import: those that are in a *status*."""

    status: Literal["pending", "valid", "recorded", "refused"] | None = None


def _whole(text: object) -> object:
    if isinstance(text, str) and not _WHOLE.fullmatch(text):
        raise ValueError("this is no whole number")
    return text


class ImportRow(Model):
    """A row of an import, all text: as a stock event of one line, its warehouse and variant by their codes."""

    type: EventType
    warehouseCode: Code
    sku: Code
    quantity: Annotated[Units, BeforeValidator(_whole)]
    reasonCode: ReasonCode | None = None
    notes: Notes | None = None
    occurredAt: Moment | None = None


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


class StockEventQuery(Window):
    """
    Which stock events: those of which all that is said is so; *occurredFrom* and *occurredTo* are both included.

    Sellers must say which *warehouseId*, one of theirs.
    """

    type: EventType | None = None
    warehouseId: UUID | None = None
    variantId: UUID | None = None
    since: Annotated[Written, Field(alias="occurredFrom")] = clock.EARLIEST
    until: Annotated[Written, Field(alias="occurredTo")] = clock.LATEST
    reasonCode: ReasonCode | None = None
    sort: Annotated[str, Field(pattern=r"^(occurredAt|createdAt)(,(asc|desc))?$")] = "occurredAt,desc"


class StockEventPageQuery(StockEventQuery, PageQuery):
    """The same, a page of it."""


class StockEventExportQuery(StockEventQuery):
    """The same, up to *limit* events."""

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


class StockLevelLow(Model):
    """Data of `StockLevelLow`."""

    variant_id: UUID
    sku_id: str
    warehouse_id: UUID
    available: int
    reorder_point: int
