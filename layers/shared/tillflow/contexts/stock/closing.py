"""
Closing a warehouse: its levels say that they are closed, for a sale reads nothing else (docs/adr/0013).

Each level remembers the version of the warehouse that it goes by, so that of two changes the later one holds, whichever is
done first. What breaks off is known to the warehouse (`levels_behind`), and done by the next change of it.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import batched

from tillflow.contexts.stock import masters, recents, shards, store, tables
from tillflow.contexts.stock.models import StockEventLine
from tillflow.contexts.stock.rules import Variant, Warehouse
from tillflow.errors import Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, deadline
from tillflow.storage.again import Moved, again
from tillflow.storage.commit import Commit

# One transaction each: a larger one more often meets a sale, and then one of the two has to wait.
_AT_ONCE = 25
# So many are looked at before more are listed.
_LISTED = 250
_UNFINISHED = "The warehouse is changed, not all of its levels are. Send the change again, and it goes on."


def settle(warehouse: Warehouse, cause: Cause) -> Warehouse:
    """
    Let every level of the warehouse be as open as it is, and return it.

    Raises:
        Unavailable: there was no time for all of them; sent again, the change goes on.
    """
    if not warehouse.levels_behind:
        return warehouse
    # Those that are so new that the stream's reader has not listed them come first: later they are in the index.
    align(warehouse, recents.levels_moved(warehouse.warehouse_id, None).values(), cause)
    after = ""
    while entries := masters.listed([tables.levels_listed(warehouse.warehouse_id)], "", after, _LISTED):
        align(warehouse, [tables.id_of(entry) for entry in entries], cause)
        after = entries[-1]["listed_as"]
    commit = Commit(cause)
    masters.levels_follow(commit, warehouse, Moved)
    with suppress(Moved):  # Whoever has changed it since sees to its levels.
        commit.write()
    return replace(warehouse, levels_behind=False)


def follow(warehouse: Warehouse, lines: Iterable[StockEventLine], cause: Cause) -> None:
    """
    Close the levels that units have come into, where the warehouse was open when that was decided and is closed by now.

    One may have come into being while the others were being closed, and `settle` has not seen it.
    """
    known, variant_ids = warehouse, [str(line.variantId) for line in lines]
    with suppress(Unavailable):  # What has come in is in the ledger, and whoever sent it must not hear otherwise.
        while (present := store.find_warehouse(warehouse.warehouse_id)).active != known.active:
            align(present, variant_ids, cause)
            known = present


def align(warehouse: Warehouse, variant_ids: Iterable[str], cause: Cause) -> None:
    """
    Let the levels of these variants go by this version of the warehouse, or by a later one.

    Raises:
        Unavailable: there was no time for all of them.
    """
    for some in batched(variant_ids, _AT_ONCE, strict=False):
        # Many follow each other: better an honest error than a Lambda that is killed.
        if deadline.remaining() < 2 * aws.LONGEST_CALL_SECONDS:
            raise Unavailable(_UNFINISHED)
        again(partial(_try_align, warehouse, some, cause), _UNFINISHED)


def _try_align(warehouse: Warehouse, variant_ids: Sequence[str], cause: Cause) -> None:
    """Let all of these levels, each shard of them, go by this version of the warehouse, or by a later one."""
    variants = list(store.find_variants(variant_ids))
    levels = shards.find_levels(variants, warehouse.warehouse_id)
    behind = [level for each in levels.values() for level in each if level.warehouse_version < warehouse.version]
    for some in batched(behind, _AT_ONCE, strict=False):
        commit = Commit(cause)
        for level in some:
            masters.align(commit, level, warehouse, Moved)
        commit.write()
    # Units may have been shifted into a shard that was new meanwhile; from now on none are, for the others are closed.
    if behind and _shards(store.find_variants(variant_ids)) != _shards(variants):
        raise Moved


def _shards(variants: Iterable[Variant]) -> dict[str, int]:
    return {variant.variant_id: variant.shards_ever for variant in variants}
