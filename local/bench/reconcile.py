"""Whether everything adds up: orders, charges and stock, each against the others, as the tables have them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tillflow.contexts.stock import rules, tables
from tillflow.contexts.stock.store import lines_of

type Item = Mapping[str, Any]
# A variant, a warehouse and a shard.
type Place = tuple[str, str, int]

CONFIRMED = "confirmed"
# Lines of the ledger that took units off the shelf, or put them there; those of an open reservation only hold them.
HELD = {rules.PENDING}
MOVED = rules.STANDING - HELD


@dataclass(frozen=True)
class Placed:
    """An order as its buyer knows it: what it must cost, the units it wants of each variant, and how it ended."""

    order_id: str
    total: int
    units: Mapping[str, int]
    status: str


def discrepancies(
    placed: Sequence[Placed],
    stocked: Mapping[str, int],
    *,
    orders: Iterable[Item],
    charges: Iterable[Item],
    stock: Sequence[Item],
) -> list[str]:
    """
    Return in words everything that does not add up.

    *stocked*: the units of each variant that there were at first; the rest are the tables' items.
    """
    return [
        *_order_discrepancies(placed, {str(item["pk"]).removeprefix("ORDER#"): item for item in orders}),
        *_charge_discrepancies(placed, charges),
        *_level_discrepancies(stock),
        *_sale_discrepancies(placed, stocked, stock),
    ]


def _order_discrepancies(placed: Sequence[Placed], orders: Mapping[str, Item]) -> Iterator[str]:
    for order in placed:
        item = orders.get(order.order_id, {})
        if item.get("status") != order.status:
            yield f"order {order.order_id} is {item.get('status')}, its buyer saw it {order.status}"
        if "due_at" in item:
            yield f"order {order.order_id} is not settled"
    for unknown in orders.keys() - {order.order_id for order in placed}:
        yield f"order {unknown} was placed by nobody"


def _charge_discrepancies(placed: Sequence[Placed], charges: Iterable[Item]) -> Iterator[str]:
    kept: dict[str, list[int]] = defaultdict(list)
    for charge in charges:
        if charge["status"] == "charged":
            kept[charge["order_id"]].append(int(charge["amount"]))
    for order in placed:
        due = [order.total] if order.status == CONFIRMED else []
        if (charged := kept.pop(order.order_id, [])) != due:
            yield f"{order.status} order {order.order_id}: charged {charged}, must be {due}"
    for unknown in kept:
        yield f"order {unknown}, which nobody placed, was charged"


def _level_discrepancies(stock: Sequence[Item]) -> Iterator[str]:
    moved, held = _lines(stock, MOVED), _lines(stock, HELD)
    for place, available in _levels(stock).items():
        if available != moved[place] + held[place]:
            yield f"{place}: {available} available, must be {moved[place]} moved less {-held[place]} reserved"
        if available < 0:
            yield f"{place}: {available} available"


def _sale_discrepancies(placed: Sequence[Placed], stocked: Mapping[str, int], stock: Sequence[Item]) -> Iterator[str]:
    left = Counter(stocked)
    for order in placed:
        if order.status == CONFIRMED:
            left.subtract(order.units)
    found: Counter[str] = Counter()
    for (variant_id, *_), available in _levels(stock).items():
        found[variant_id] += available
    for variant_id, units in left.items():
        if found[variant_id] != units:
            yield f"variant {variant_id}: {found[variant_id]} available, must be {units} after what was sold"


def _levels(stock: Sequence[Item]) -> dict[Place, int]:
    levels = [dict(item) for item in stock if str(item.get("sk", "")).startswith("LEVEL#")]
    return {tables.place_of(level): int(level["available"]) for level in levels}


def _lines(stock: Sequence[Item], statuses: Collection[str]) -> Counter[Place]:
    """Return the sum of the ledger's lines, by place, of events in one of *statuses*."""
    total: Counter[Place] = Counter()
    for item in stock:
        if item.get("status") in statuses:
            for line in lines_of(dict(item)):
                total[line.variant_id, line.warehouse_id, line.shard] += line.quantity
    return total
