"""Stock events that the stream's reader has not come to yet: what it lists of them is not listed so far (docs/adr/0012, 0013)."""

from collections.abc import Iterator
from itertools import islice

from tillflow.contexts.stock import store, tables
from tillflow.contexts.stock.models import EventType
from tillflow.contexts.stock.movement import movements_of
from tillflow.storage.attributes import Item
from tillflow.storage.database import Run
from tillflow.values import clock

# More wait only when the reader is far behind; of those the oldest are listed late.
MOST_LISTED = 1000


def recent(most: int | None = MOST_LISTED) -> Iterator[Item]:
    """Yield the `recent_entry` of each, newest first, up to *most* (None: of all)."""
    bounds = tables.bounds(clock.EARLIEST, clock.LATEST)
    return islice(Run(tables.movements(), tables.RECENT, bounds, descending=True, chunk=MOST_LISTED), most)


def levels_moved(warehouse_id: str, most: int | None = MOST_LISTED) -> dict[str, str]:
    """
    Return the variants (ids by SKU) that recent ones brought into a warehouse: their levels may be new, and in no index yet.

    Read this before the index: what has left the recent ones by then is there.
    """
    arrived = (each for each in recent(most) if each["warehouse_id"] == warehouse_id and each["type"] != EventType.OUTBOUND)
    events = store.find_events(map(tables.event_id_of, arrived))
    moved = (each for event in events for each in movements_of(event))
    return {line.sku: line.variant_id for each in moved for line in each.arrivals}
