"""
A variant's homes: the first warehouses that had it, up to a few (docs/adr/0012).

Its sales there are listed by warehouse alone, which a list of all its sales reads one by one; those from anywhere else are
listed once more, together. A warehouse is a variant's home for good or never, so whoever knows need not ask again.
"""

from collections.abc import Iterable
from functools import partial

from tillflow.contexts.stock import masters, store
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved, again
from tillflow.storage.commit import Commit
from tillflow.values import ids

# Each costs a list of a variant's movements half a read unit.
MOST = 6
_MOST_KEPT = 10_000
_BUSY = "Others find the variant a home at this moment. Try again."

# A variant's id and a warehouse's.
type Place = tuple[str, str]

# Whether a place is beyond the variant's homes.
_kept: dict[Place, bool] = {}


def beyond(places: Iterable[Place]) -> set[Place]:
    """
    Return those of the *places* that are none of their variant's homes; where a variant has few, they become its homes.

    Costs half a read unit for each variant of a place that this process has not met, and a write unit for each new home.

    Raises:
        Unavailable: the table was not to be read or written.
    """
    wanted = set(places)
    unknown = {place for place in wanted if place not in _kept}
    homes = dict(store.find_homes({variant_id for variant_id, _ in unknown}, consistent=False))
    if len(_kept) > _MOST_KEPT:
        _kept.clear()
    found = {place: _kept[place] for place in wanted - unknown}
    for variant_id, warehouse_id in sorted(unknown):
        of_variant = homes.get(variant_id, ())
        if warehouse_id not in of_variant and len(of_variant) < MOST:
            of_variant = again(partial(_settle, variant_id, warehouse_id), _BUSY)
        found[variant_id, warehouse_id] = _kept[variant_id, warehouse_id] = warehouse_id not in of_variant
    return {place for place, is_beyond in found.items() if is_beyond}


def listed(variant_id: str) -> list[str | None]:
    """Return where a variant's sales are listed: in these warehouses, and (None) beyond. Costs half a read unit."""
    for _, homes in store.find_homes([variant_id], consistent=False):
        return [*homes, *((None,) if len(homes) >= MOST else ())]
    return []


def _settle(variant_id: str, warehouse_id: str) -> tuple[str, ...]:
    """Return the variant's homes, the warehouse among them if there is room for one more."""
    for _, homes in store.find_homes([variant_id]):
        if warehouse_id in homes or len(homes) >= MOST:
            return homes
        # Nobody's in particular.
        commit, more = Commit(Cause("stock", ("service",), ids.new())), (*homes, warehouse_id)
        masters.set_homes(commit, variant_id, homes, more, Moved)
        commit.write()
        return more
    return ()


def forget() -> None:
    """Drop what this process has kept (for tests)."""
    _kept.clear()
