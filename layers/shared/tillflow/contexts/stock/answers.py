"""Answers about stock (contracts: stock-events.md, event-contracts.md)."""

from datetime import datetime
from typing import Literal, NotRequired, TypedDict
from uuid import UUID

from tillflow.contexts.stock.models import EventType, ReasonCode
from tillflow.web.openapi import ErrorBody


class Warehouse(TypedDict):
    """A place that holds stock; sellers move stock only where `sellerIds` names them."""

    id: UUID
    code: str
    name: str
    active: bool
    sellerIds: list[str]


class Variant(TypedDict):
    """Something that can be stocked and sold under its SKU; its units are counted in `shards`."""

    id: UUID
    sku: str
    name: str
    active: bool
    expiresAt: datetime | None
    shards: int


class Existing(ErrorBody):
    """The error body, with the id of what has the code or SKU."""

    id: NotRequired[UUID]


class RecordedLine(TypedDict):
    """One variant's movement; negative where units left."""

    id: UUID
    variantId: UUID
    variantSku: str
    quantity: int


class StockEvent(TypedDict):
    """One movement of stock, as the ledger keeps it; with a `transferId`, it is half of a transfer."""

    id: UUID
    type: EventType
    warehouseId: UUID
    warehouseCode: str
    occurredAt: datetime
    reasonCode: ReasonCode | None
    notes: str | None
    createdById: str
    createdByUsername: str
    createdAt: datetime
    lines: list[RecordedLine]
    transferId: NotRequired[UUID]


class StockTransfer(TypedDict):
    """The two movements of a transfer, which are in the ledger both or not at all; `transferId` is what they share."""

    transferId: UUID
    outbound: StockEvent
    inbound: StockEvent


class Units(TypedDict):
    """
    A variant's units in one warehouse: `available` is what may still be reserved, `onHand` that and `reserved`.

    Where a `reorderPoint` is set, `low` says that they have fallen through it and not risen above it since.
    """

    onHand: int
    reserved: int
    available: int
    reorderPoint: NotRequired[int]
    low: NotRequired[bool]


class StockLevel(Units):
    """A variant's units in one warehouse."""

    warehouseId: UUID


class StockLevels(TypedDict):
    """A variant's units in every warehouse that has had it."""

    items: list[StockLevel]


class WarehouseLevel(Units):
    """One variant's units in a warehouse."""

    variantId: UUID
    variantSku: str


class ReorderPoint(TypedDict):
    """A level's threshold (null: none): once fewer than `quantity` are `available`, it is `low` until more are."""

    warehouseId: UUID
    variantId: UUID
    quantity: int | None
    available: int
    low: bool


class Page(TypedDict):
    """
    One page of a list: pages count from 0, `next_token` asks for the one after it.

    `totalElements` and `totalPages` are exact (`eq`) up to 1,000; beyond, there are at least so many (`gte`).
    """

    page: int
    size: int
    totalElements: int
    totalRelation: Literal["eq", "gte"]
    totalPages: int
    next_token: str | None


class StockEventPage(Page):
    """A page of stock events, in the order that was asked for."""

    content: list[StockEvent]


class Import(TypedDict):
    """A file of stock events that was taken in: it is recorded from now on."""

    id: UUID
    status: Literal["running", "completed"]
    dryRun: bool
    rows: int
    createdById: str
    createdAt: datetime


class ImportedRow(TypedDict):
    """What became of the row that begins in a *line* of the file: its stock event, or why there is none."""

    line: int
    status: Literal["pending", "valid", "recorded", "refused"]
    stockEventId: UUID | None
    error_code: str | None
    message: str | None


class ImportProgress(Import, Page):
    """How far an import is, and a page of its rows. *accepted* ones are recorded; in a dry run, valid."""

    completedAt: datetime | None
    accepted: int
    refused: int
    pending: int
    content: list[ImportedRow]


class WarehousePage(Page):
    """A page of warehouses, by code."""

    content: list[Warehouse]


class VariantPage(Page):
    """A page of variants, by SKU."""

    content: list[Variant]


class WarehouseLevelPage(Page):
    """A page of a warehouse's levels, by SKU."""

    content: list[WarehouseLevel]


class ReleasedItem(TypedDict):
    """Units of one SKU that were given back."""

    skuId: str
    quantity: int


class Release(TypedDict):
    """A reservation that was given back, or a sale that was returned."""

    releaseId: UUID
    orderId: UUID
    reservationId: UUID
    reason: str
    releasedItems: list[ReleasedItem]
    releasedAt: datetime
    traceId: UUID


class ReleasePage(TypedDict):
    """A page of the release audit, newest first; pages count from 0."""

    content: list[Release]
    page: int
    size: int
    totalElements: int
    totalPages: int
