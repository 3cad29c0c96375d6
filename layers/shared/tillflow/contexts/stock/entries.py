"""
Where movements are listed: the partitions that a movement is entered in, and those that answer a filter. No I/O.

A partition is all movements of a *scope* (any warehouse or one, any variant or one) and a *class*, in the order of time:

    sales    of all and of a warehouse in four, each of which takes a thousand a second; a line in the one of its variant in
             its warehouse, and where that is none of the variant's homes (homes.py) in the one of all such places. That is
             all that is entered of a sale: its type and reason are known, and it occurred when it was recorded.
    others   once as they are, once by type, and once by type and reason: they are rare. Where one did not occur when it
             was recorded it stands in two places, one for each order; else in one for both.

Shifts between shards are no movements: they stand in places of their own, where the audit finds them (docs/adr/0016).

So a filter is answered by ten partitions or so, merged, of which no entry is read in vain.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import batched

from tillflow.contexts.stock import tables
from tillflow.contexts.stock.models import EventType, ReasonCode
from tillflow.contexts.stock.movement import Movement
from tillflow.contexts.stock.rules import Line, types_fitting
from tillflow.storage.attributes import Item
from tillflow.storage.tables import INDEX_PARTITIONS, index_partition
from tillflow.values import clock

OCCURRED, CREATED, BOTH = "occurredAt", "createdAt", "both"
_SALES = "sales"
_SHIFTS = "shifts"
_MARK_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Filter:
    """Which movements: those of which all that is said is so; moments as `clock.iso` writes them, both included."""

    kind: EventType | None
    reason: ReasonCode | None
    warehouse_id: str | None
    variant_id: str | None
    since: str
    until: str

    @property
    def has_window(self) -> bool:
        """Tell whether it is cut by when things occurred."""
        return (self.since, self.until) != (clock.EARLIEST, clock.LATEST)

    def finds(self, recent: Item) -> bool:
        """Tell whether it finds the movement of a `recent_entry`."""
        return (
            self.kind in (None, recent["type"])
            and self.reason in (None, recent.get("reason_code"))
            and self.warehouse_id in (None, recent["warehouse_id"])
            and (self.variant_id is None or _mark(self.variant_id) in _marks(recent["variants"]))
            and self.since <= recent["occurred_at"] <= self.until
        )


def recent_entry(movement: Movement) -> Item:
    """Return the one entry that a stock event is committed with, so that a list finds it before it is projected."""
    return tables.recent_key(movement.created_at, movement.event_id) | {
        "type": movement.kind,
        "reason_code": movement.reason,
        "warehouse_id": movement.warehouse_id,
        "occurred_at": movement.occurred_at,
        "created_at": movement.created_at,
        "variants": b"".join(_mark(line.variant_id) for line in movement.lines),
    }


def _mark(variant_id: str) -> bytes:
    # Of ninety variants no more than fits a write unit; two of one event are not mistaken for each other.
    return bytes.fromhex(variant_id.replace("-", "")[:_MARK_DIGITS])


def _marks(variants: bytes) -> set[bytes]:
    return set(map(bytes, batched(variants, _MARK_DIGITS // 2, strict=True)))


def entries_of(movement: Movement, beyond: Container[tuple[str, str]] = ()) -> Iterator[Item]:
    """Yield the entries of a movement; *beyond* are the (variants, warehouses) that are none of the variant's homes."""
    part = {"event_id": movement.event_id} if movement.is_part else {}
    for order in (BOTH,) if movement.occurred_at == movement.created_at else (OCCURRED, CREATED):
        # A list that is sorted otherwise than its window is cut sorts these itself.
        more = part | ({"created_at": movement.created_at} if order == OCCURRED else {})
        for name in _of_sale(movement, beyond) if movement.is_sale else _of_other(movement, order):
            yield tables.entry_key(name, movement.moment(order), movement.movement_id) | more


def _of_sale(movement: Movement, beyond: Container[tuple[str, str]]) -> Iterator[str]:
    shard = index_partition(movement.movement_id)
    yield from (_name(warehouse_id, None, f"{_SALES}-{shard}", BOTH) for warehouse_id in (None, movement.warehouse_id))
    for line in movement.lines:
        is_beyond = (line.variant_id, line.warehouse_id) in beyond
        yield from (_name(each, line.variant_id, _SALES, BOTH) for each in (line.warehouse_id, *((None,) if is_beyond else ())))


def _of_other(movement: Movement, order: str) -> Iterator[str]:
    by_reason = [f"{movement.kind}/{movement.reason}"] if movement.reason else []
    for variant_id in (None, *(line.variant_id for line in movement.lines)):
        for warehouse_id in (None, movement.warehouse_id):
            yield from (_name(warehouse_id, variant_id, kind, order) for kind in ("", movement.kind, *by_reason))


def entries_of_shift(event_id: str, moment: str, lines: Iterable[Line]) -> Iterator[Item]:
    """Yield the entries of units that changed shards at a *moment*."""
    for warehouse_id, variant_id in dict.fromkeys([(None, None), *((line.warehouse_id, line.variant_id) for line in lines)]):
        yield tables.entry_key(_name(warehouse_id, variant_id, _SHIFTS, BOTH), moment, event_id)


def partitions_of_ledger(warehouse_id: str | None = None, variant_id: str | None = None) -> list[str]:
    """Return the names of the partitions that have all that was recorded once, by when it was: of a level, or of all."""
    everything = Filter(None, None, warehouse_id, variant_id, clock.EARLIEST, clock.LATEST)
    sales = partitions_of_sales(everything, filter(None, [warehouse_id]))
    others = [name for order in (BOTH, CREATED) for name in partitions_of_others(everything, order)]
    return [*sales, *others, _name(warehouse_id, variant_id, _SHIFTS, BOTH)]


def lets_sales_in(wanted: Filter) -> bool:
    """Tell whether a filter may find sales."""
    return wanted.kind in (None, EventType.OUTBOUND) and wanted.reason in (None, ReasonCode.SALE)


def partitions_of_sales(wanted: Filter, warehouse_ids: Iterable[str | None]) -> list[str]:
    """
    Return the names of the partitions of the sales that are found.

    A variant's are in those of *warehouse_ids*; None is all that are none of its homes.
    """
    if wanted.variant_id is None:
        return [_name(wanted.warehouse_id, None, f"{_SALES}-{shard}", BOTH) for shard in INDEX_PARTITIONS]
    return [_name(warehouse_id, wanted.variant_id, _SALES, BOTH) for warehouse_id in warehouse_ids]


def partitions_of_others(wanted: Filter, order: str) -> list[str]:
    """Return the names of the partitions of all else that is found and stands in this *order* (or in `BOTH`)."""
    return [_name(wanted.warehouse_id, wanted.variant_id, kind, order) for kind in _classes(wanted)]


def _classes(wanted: Filter) -> list[str]:
    if wanted.reason is None:
        return [wanted.kind or ""]
    return [f"{kind}/{wanted.reason}" for kind in types_fitting(wanted.reason) if wanted.kind in (None, kind)]


def _name(warehouse_id: str | None, variant_id: str | None, kind: str, order: str) -> str:
    return f"{warehouse_id or ''}:{variant_id or ''}:{kind}:{order}"
