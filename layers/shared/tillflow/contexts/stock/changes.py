"""Which levels an audit looks at: those that something has moved since a moment, and all that there are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched

from tillflow.contexts.stock import checkpoints, masters, store, tables
from tillflow.contexts.stock.accounts import entries_since, pairs_of, read_events
from tillflow.contexts.stock.checkpoints import Pair
from tillflow.contexts.stock.entries import partitions_of_ledger
from tillflow.contexts.stock.models import EventType
from tillflow.storage.attributes import Item
from tillflow.values import clock, ids

_AT_ONCE = 100
_LISTED = 250

# A warehouse's code and a SKU: where one is in the order of all levels.
type Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Changes:
    """Some of what has changed, all that was listed *until* then: the levels, and the orders that gave units back."""

    until: str
    pairs: list[Pair]
    returned: list[str]


def since(moment: str) -> Iterator[Changes]:
    """Yield what has changed since a *moment* (ISO 8601), a hundred events at once."""
    for some in batched(store.released(moment, clock.LATEST), _AT_ONCE, strict=False):
        yield Changes(moment, _pairs(some), [each["order_id"] for each in some])
    for entries in batched(entries_since(moment, partitions_of_ledger()), _AT_ONCE, strict=False):
        events = read_events(entries).values()
        returned = [each["order_id"] for each in events if "order_id" in each and each["type"] == EventType.INBOUND]
        yield Changes(tables.moment_of(entries[-1]), _pairs(events), returned)


def _pairs(events: Iterable[Item]) -> list[Pair]:
    return list(dict.fromkeys(pair for event in events for pair in pairs_of(store.lines_of(event))))


def every_level(after: Place, *, gone: bool) -> Iterator[tuple[Place, Pair]]:
    """Yield every level *after* a place, with its place; and where one is *gone*, but was audited before."""
    code, sku = after
    if code:
        yield from _levels_in(code, sku, gone=gone)
    both = [tables.warehouses_listed(active=active) for active in (True, False)]
    for entry in _walk(both, code):
        yield from _levels_in(entry["listed_as"], "", gone=gone)


def _levels_in(code: str, sku: str, *, gone: bool) -> Iterator[tuple[Place, Pair]]:
    warehouse_id = ids.derived("warehouse", code)
    for entry in _walk([tables.levels_listed(warehouse_id)], sku):
        sku = entry["listed_as"]
        yield (code, sku), (tables.id_of(entry), warehouse_id)
    if gone:
        yield from (((code, sku), pair) for pair in _gone_from(warehouse_id))


def _gone_from(warehouse_id: str) -> Iterator[Pair]:
    for some in batched(checkpoints.pairs_in(warehouse_id), _AT_ONCE, strict=False):
        there = {level.variant_id for level in store.find_levels([(*pair, 0) for pair in some], consistent=False)}
        yield from (pair for pair in some if pair[0] not in there)


def _walk(partitions: list[str], after: str) -> Iterator[Item]:
    while entries := masters.listed(partitions, "", after, _LISTED):
        yield from entries
        if len(entries) < _LISTED:
            return
        after = entries[-1]["listed_as"]
