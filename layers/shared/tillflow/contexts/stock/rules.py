"""Stock: what may be reserved, moved and given back. No I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tillflow.contexts.stock.models import EventType, ReasonCode
from tillflow.errors import Conflict, Forbidden, Invalid, NotFound, StepRefused
from tillflow.values import ids

# A reservation is a pending OUTBOUND event. It ends as a sale, or its units go back.
PENDING, POSTED, REFUSED, RELEASED, RETURNED = "pending", "posted", "refused", "released", "returned"
# What only changed shards is in the ledger too, and is no movement.
SHIFTED = "shifted"
# A level is the sum of the lines of all events in one of these. (A returned sale is made good by an event of its own.)
STANDING = frozenset({PENDING, POSTED, RETURNED, SHIFTED})

OUT_OF_STOCK = "OUT_OF_STOCK"
UNKNOWN_SKU = "UNKNOWN_SKU"
VARIANT_INACTIVE = "VARIANT_INACTIVE"
VARIANT_EXPIRED = "VARIANT_EXPIRED"

# One transaction writes a reservation whole, and gives it back: the sale, its return and a level for each line
# (DynamoDB: 100 actions).
MOST_LINES = 98
# The lines that a stock event has room for, beside itself, its entry in a list and its key.
MOST_MOVED = 97


@dataclass(frozen=True, slots=True)
class Reason:
    """Which types of movement may have a reason, and whether units past their date may still move for it."""

    fits: frozenset[EventType]
    for_expired: bool


# docs/stock-rules.md shows this table. Units past their date are counted or thrown away, and do nothing else.
REASONS: dict[ReasonCode | None, Reason] = {
    ReasonCode.PURCHASE: Reason(frozenset({EventType.INBOUND}), for_expired=False),
    ReasonCode.SALE: Reason(frozenset({EventType.OUTBOUND}), for_expired=False),
    ReasonCode.COUNT_CORRECTION: Reason(frozenset({EventType.ADJUST}), for_expired=True),
    ReasonCode.DAMAGE: Reason(frozenset({EventType.OUTBOUND, EventType.ADJUST}), for_expired=True),
    ReasonCode.DISCARD_EXPIRED: Reason(frozenset({EventType.OUTBOUND, EventType.ADJUST}), for_expired=True),
    ReasonCode.OTHER: Reason(frozenset(EventType), for_expired=False),
    None: Reason(frozenset(EventType), for_expired=False),
}


# Somewhere it is tomorrow already; a year that is mistyped would stand first in the ledger for good.
_FURTHEST_AHEAD = timedelta(days=1)


class InvalidStockEvent(Invalid):
    """The movement breaks a rule of the ledger (contract: stock-events.md, 400)."""

    status = 400
    code = "INVALID_STOCK_EVENT"
    title = "Invalid stock event"
    detail = "invalid payload"


class InvalidQuestion(Invalid):
    """A list of stock events is asked for that there cannot be (contract: stock-events.md, 400)."""

    status = 400
    detail = "invalid payload"


class InvalidImport(Invalid):
    """The file is none that can be imported (400, as the stock contract's other refusals of what was sent)."""

    status = 400
    code = "INVALID_IMPORT"
    title = "Invalid import"
    detail = "invalid payload"


class InsufficientStock(InvalidStockEvent):
    """The movement would take more than is available."""

    code = "INSUFFICIENT_STOCK"
    title = "Insufficient stock"
    detail = "stock-insufficient"


class WarehouseNotFound(NotFound):
    """There is no such warehouse."""

    code = "WAREHOUSE_NOT_FOUND"
    title = "Warehouse not found"
    detail = "stock-warehouse-not-found"


class StockEventNotFound(NotFound):
    """There is no such stock event, or it is of a warehouse that the caller may not know of."""

    code = "STOCK_EVENT_NOT_FOUND"
    title = "Stock event not found"
    detail = "stock-event-not-found"


class ImportNotFound(NotFound):
    """There is no such import, or a seller asks for another's."""

    code = "IMPORT_NOT_FOUND"
    title = "Import not found"
    detail = "stock-import-not-found"


class VariantNotFound(NotFound):
    """There is no such variant."""

    code = "VARIANT_NOT_FOUND"
    title = "Variant not found"
    detail = "stock-variant-not-found"


class LevelNotFound(NotFound):
    """The warehouse has never had the variant."""

    code = "LEVEL_NOT_FOUND"
    title = "Level not found"
    detail = "stock-level-not-found"


class WarehouseForbidden(Forbidden):
    """The seller is not authorised for this warehouse."""

    code = "WAREHOUSE_FORBIDDEN"


class TooManySellers(Invalid):
    """The warehouse names as many sellers as it may."""

    status = 400
    code = "TOO_MANY_SELLERS"
    title = "Too many sellers"
    detail = "stock-too-many-sellers"


class AlreadyExists(Conflict):
    """The code or SKU is taken."""

    code = "ALREADY_EXISTS"
    title = "Already exists"


class ReservationRefused(StepRefused):
    """The order's units were not, or are no longer, reserved. *reason* is one of the constants above, or a status."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The order's stock is not reserved: {reason}.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A place that holds stock."""

    warehouse_id: str
    code: str
    name: str
    active: bool
    seller_ids: tuple[str, ...]
    version: int = 1
    # Whether it was opened or closed, and not all its levels may say so yet.
    levels_behind: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """Something that is stocked and sold under its *sku*."""

    variant_id: str
    sku: str
    name: str
    active: bool
    expires_at: datetime | None
    version: int = 1
    shards: int = 1
    # How many it ever had: units may still come back to one that is no longer used.
    shards_ever: int = 1
    # How often units were shifted between them, and whether some are still to be, for their number has changed.
    shifts: int = 0
    units_behind: bool = False

    def has_expired(self, at: datetime) -> bool:
        """Tell whether it may no longer be sold at this moment."""
        return self.expires_at is not None and self.expires_at <= at


@dataclass(frozen=True, slots=True)
class Level:
    """
    A variant in a warehouse, or a *shard* of it: the units that anyone may still reserve.

    It always is the sum of the ledger's lines, those of so many *events*. It is *closed* with its warehouse, the version of
    which it goes by: orders are not served from it. Its first shard is *listed* in an index, a moment after it came to be.
    """

    variant_id: str
    warehouse_id: str
    available: int
    closed: bool = False
    warehouse_version: int = 0
    shard: int = 0
    # Fewer than *reorder_point* are low; so noted, until more than that many are available.
    reorder_point: int | None = None
    low: bool = False
    events: int = 0
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """*quantity* units of a variant in (a *shard* of) a warehouse; negative where they leave."""

    variant_id: str
    sku: str
    warehouse_id: str
    quantity: int
    shard: int = 0


def variant_id_of(sku: str) -> str:
    """Return the id of the one variant that has this SKU."""
    return ids.derived("variant", sku)


def warehouse_id_of(code: str) -> str:
    """Return the id of the one warehouse that has this code."""
    return ids.derived("warehouse", code)


def opposite(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with their direction turned."""
    return [replace(line, quantity=-line.quantity) for line in lines]


@dataclass(frozen=True, slots=True)
class Stocked:
    """A variant and its levels."""

    variant: Variant
    levels: tuple[Level, ...]

    @property
    def open(self) -> "Stocked":
        """The variant and those of its levels that orders are served from."""
        return replace(self, levels=tuple(level for level in self.levels if not level.closed))

    def levels_in(self, warehouse_id: str) -> list[Level]:
        """Return its levels in one warehouse: one for each shard."""
        return [level for level in self.levels if level.warehouse_id == warehouse_id]


def types_fitting(reason: ReasonCode) -> list[EventType]:
    """Return the types of movement that may have this reason."""
    return [kind for kind in EventType if kind in REASONS[reason].fits]


def signed_quantity(kind: EventType, quantity: int) -> int:
    """
    Return what *quantity* adds to the units on hand.

    Raises:
        InvalidStockEvent: it is not positive (INBOUND, OUTBOUND) or is zero (ADJUST).
    """
    if kind is EventType.ADJUST and quantity == 0:
        raise InvalidStockEvent("The quantity of an ADJUST line may be positive or negative, not zero.")
    if kind is not EventType.ADJUST and quantity <= 0:
        raise InvalidStockEvent(f"The quantity of an {kind} line must be positive; the sign follows from the type.")
    return -quantity if kind is EventType.OUTBOUND else quantity


def check_movement(kind: EventType, reason: ReasonCode | None, variants: Sequence[Variant], at: datetime) -> None:
    """
    Go on only if the ledger takes such a movement of *variants*.

    Raises:
        InvalidStockEvent: the reason does not fit the type, a variant is named twice, is inactive, or has expired
            and the reason is not one for expired goods.
    """
    rule = REASONS[reason]
    if kind not in rule.fits:
        fitting = ", ".join(sorted(each for each, its in REASONS.items() if each and kind in its.fits))
        raise InvalidStockEvent(f"The reason {reason} does not fit {kind}; one of {fitting} does.")
    if len({variant.variant_id for variant in variants}) < len(variants):
        raise InvalidStockEvent("A variant appears in more than one line.")
    for variant in variants:
        if not variant.active:
            raise InvalidStockEvent(f"The variant {variant.sku} is not active.")
        if variant.has_expired(at) and not rule.for_expired:
            left = ", ".join(sorted(each for each, its in REASONS.items() if each and its.for_expired))
            raise InvalidStockEvent(f"The variant {variant.sku} has expired; only {left} apply.")


def check_moment(occurred_at: datetime, at: datetime) -> None:
    """
    Go on only if the movement has occurred, as far as clocks agree.

    Raises:
        InvalidStockEvent: it lies more than a day ahead of *at*.
    """
    if occurred_at - at > _FURTHEST_AHEAD:
        raise InvalidStockEvent("occurredAt lies more than a day ahead. A movement is recorded when it has occurred.")


def has_fallen(level: Level) -> bool:
    """Tell whether it has fallen through its reorder point and nobody has been told."""
    return level.reorder_point is not None and level.available < level.reorder_point and not level.low


def has_risen(level: Level) -> bool:
    """Tell whether it has risen above its reorder point since it fell through it."""
    return level.reorder_point is not None and level.available > level.reorder_point and level.low


def check_access(warehouse: Warehouse, user_id: str, roles: Sequence[str]) -> None:
    """
    Go on only if the caller may move stock in *warehouse*: sellers where they are named, others everywhere.

    Raises:
        WarehouseForbidden: the caller is a seller (and nothing more) whom the warehouse does not name.
    """
    if not sees(warehouse, user_id, roles):
        raise WarehouseForbidden("You are not authorised for this warehouse.")


def sees(warehouse: Warehouse, user_id: str, roles: Sequence[str]) -> bool:
    """Tell whether the caller may know of *warehouse*."""
    return user_id in warehouse.seller_ids or not is_bound(roles)


def is_bound(roles: Sequence[str]) -> bool:
    """Tell whether a caller with *roles* is a seller and nothing more, who has to do with some warehouses only."""
    return "seller" in roles and not {"admin", "manager"} & set(roles)
