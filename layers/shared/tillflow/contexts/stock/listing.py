"""
The stock events that a filter finds, in order: several partitions of the movements' table, merged as they are read.

What was committed a moment ago may not be projected yet. It stands among the recent ones, which are read first: what has
left them by then is in the partitions.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from tillflow.contexts.stock import homes, tables
from tillflow.contexts.stock.entries import (
    BOTH,
    CREATED,
    OCCURRED,
    Filter,
    lets_sales_in,
    partitions_of_others,
    partitions_of_sales,
)
from tillflow.contexts.stock.recents import recent
from tillflow.contexts.stock.rules import InvalidQuestion
from tillflow.storage.attributes import Item
from tillflow.storage.database import Run

# As many entries as fit one read unit: 55 bytes each.
PAGE_CHUNK = 74
# What stands elsewhere than it is sorted is read whole: so many are nine read units.
_MOST_SORTED = 400


@dataclass(frozen=True, slots=True)
class Sort:
    """By *order* (`occurredAt` or `createdAt`), *descending* or not."""

    order: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement in a list, where it stands, and the stock event that it is (a part) of."""

    position: str
    movement_id: str
    event_id: str


class Listing:
    """
    What *wanted* finds, from behind the position *after* on.

    Raises:
        InvalidQuestion: so much is to be sorted that it would have to be read whole.
    """

    def __init__(self, wanted: Filter, sort: Sort, after: str = "", chunk: int = PAGE_CHUNK) -> None:
        self._wanted, self._sort, self._after, self._chunk = wanted, sort, after, chunk
        self._twice = 0
        self._loose = [self._recent(item) for item in recent() if wanted.finds(item)]
        names = partitions_of_others(wanted, BOTH)
        if sort.order == CREATED and wanted.has_window:
            self._loose += self._backdated()
        else:
            names += partitions_of_others(wanted, sort.order)
        self._loose = [entry for entry in self._loose if self._is_behind(entry.position)]
        # A sale is listed when it is projected: so it may as well be a moment later, at half the price.
        sales = [self._run(name, *self._bounds(), consistent=False) for name in _sales(wanted)]
        self._runs = [*sales, *(self._run(name, *self._bounds()) for name in names)]

    def __iter__(self) -> Iterator[Entry]:
        """Yield each once, in order (this may be asked for once)."""
        last = self._after
        loose = sorted(self._loose, key=attrgetter("position"), reverse=self._sort.descending)
        runs = [map(_entry, run) for run in self._runs]
        for entry in heapq.merge(loose, *runs, key=attrgetter("position"), reverse=self._sort.descending):
            # While it is projected, a recent one is in both.
            self._twice += entry.position == last
            if entry.position != last:
                yield entry
            last = entry.position

    def count(self, most: int) -> int:
        """Return how many there are, those that were read included, up to *most*."""
        found = len(self._loose) - self._twice + sum(run.read for run in self._runs)
        for run in self._runs:
            found += run.count_rest(most - found)
        return min(found, most)

    def _is_behind(self, position: str) -> bool:
        if not self._after:
            return True
        return position < self._after if self._sort.descending else position > self._after

    def _bounds(self) -> tuple[str, str]:
        """Return the first and the last position of what is left of the partitions (one too many: `after` itself)."""
        low, high = tables.bounds(self._wanted.since, self._wanted.until)
        if not self._after:
            return low, high
        return (low, min(high, self._after)) if self._sort.descending else (max(low, self._after), high)

    def _run(self, name: str, low: str, high: str, *, consistent: bool = True) -> Run:
        return Run(tables.movements(), tables.partition_of(name), (low, high), self._sort.descending, self._chunk, consistent)

    def _recent(self, item: Item) -> Entry:
        movement_id = tables.movement_id_of(item)
        moment = item["occurred_at" if self._sort.order == OCCURRED else "created_at"]
        return Entry(tables.position(moment, movement_id), movement_id, movement_id)

    def _backdated(self) -> Iterator[Entry]:
        """Yield what did not occur when it was created, and within the window: where it stands by its creation."""
        window = tables.bounds(self._wanted.since, self._wanted.until)
        names = map(tables.partition_of, partitions_of_others(self._wanted, OCCURRED))
        runs = [Run(tables.movements(), each, window, descending=False, chunk=_MOST_SORTED + 1) for each in names]
        for number, item in enumerate(item for run in runs for item in run):
            if number == _MOST_SORTED:
                raise InvalidQuestion(
                    f"More than {_MOST_SORTED} events of that time were recorded at another: sort by occurredAt, or shorten it."
                )
            movement_id = tables.movement_id_of(item)
            yield Entry(tables.position(item["created_at"], movement_id), movement_id, item.get("event_id", movement_id))


def _sales(wanted: Filter) -> list[str]:
    if not lets_sales_in(wanted):
        return []
    if wanted.variant_id is None or wanted.warehouse_id:
        return partitions_of_sales(wanted, filter(None, [wanted.warehouse_id]))
    return partitions_of_sales(wanted, homes.listed(wanted.variant_id))


def _entry(item: Item) -> Entry:
    movement_id = tables.movement_id_of(item)
    return Entry(tables.position_of(item), movement_id, item.get("event_id", movement_id))
