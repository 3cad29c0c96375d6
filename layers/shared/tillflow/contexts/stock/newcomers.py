"""
A warehouse's new levels, entered in the index that lists them after the ledger, from its stream (docs/adr/0013).

Those that are there already are left alone, so this may be done any number of times. A stock event stays among the recent
ones until its levels are in the index: whoever looks finds a level here or there.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import batched

from tillflow.contexts.stock import closing, homes, masters, store
from tillflow.contexts.stock.movement import Movement
from tillflow.contexts.stock.rules import Line
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved, again
from tillflow.storage.commit import Commit
from tillflow.values import ids

# One transaction each: a larger one more often meets a sale, and then one of the two has to wait.
_AT_ONCE = 25
_BUSY = "The levels are moved all the time. List them again."


def enlist(movements: Iterable[Movement]) -> None:
    """
    List the levels that units came into for the first time, each as open as its warehouse.

    Raises:
        Unavailable: the table was not to be read or written; the same may be listed again.
    """
    arrived = {(line.variant_id, line.warehouse_id): line for each in movements for line in each.arrivals}
    # Nobody's in particular.
    cause = Cause("stock", ("service",), ids.new())
    for some in batched(_unlisted(arrived.values()), _AT_ONCE, strict=False):
        # Whoever closes the warehouse after this finds the level, here or there; whoever did before has not seen it.
        _close(some, cause)
        again(partial(_try_enlist, some, cause), _BUSY)
        # Here, where it is rare: so that no sale has to.
        homes.beyond((line.variant_id, line.warehouse_id) for line in some)


def _unlisted(lines: Iterable[Line]) -> list[Line]:
    """Return the lines whose levels are in no index; the first shard of a level stands there for all."""
    line_of = {(line.variant_id, line.warehouse_id): line for line in lines}
    levels = store.find_levels((*place, 0) for place in line_of)
    return [line_of[level.variant_id, level.warehouse_id] for level in levels if not level.listed]


def _close(lines: Sequence[Line], cause: Cause) -> None:
    for warehouse in store.find_warehouses((line.warehouse_id for line in lines), consistent=True):
        if not warehouse.active:
            variant_ids = [line.variant_id for line in lines if line.warehouse_id == warehouse.warehouse_id]
            closing.align(warehouse, variant_ids, cause)


def _try_enlist(lines: Sequence[Line], cause: Cause) -> None:
    commit, unlisted = Commit(cause), _unlisted(lines)
    for line in unlisted:
        masters.list_level(commit, line, Moved)
    if unlisted:
        commit.write()
