"""
Which levels have fallen through their reorder points, told once each (docs/adr/0014): read from the ledger's stream.

A level notes itself that it is low, so a fall is told once however often it is looked at. The stream's filter passes levels
that have a threshold and no others: a sale writes nothing more, and one of a level without is not seen.
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial

from tillflow.contexts.stock import allocation, events, masters, rules, shards, store, thresholds
from tillflow.contexts.stock.rules import Stocked
from tillflow.messaging.envelope import Cause
from tillflow.messaging.letters import Record, set_aside
from tillflow.runtime.config import setting
from tillflow.storage.again import Moved, again
from tillflow.storage.attributes import from_image
from tillflow.storage.commit import Commit
from tillflow.values import ids


def is_watched(record: Record) -> bool:
    """Tell a level that has a reorder point from all else in the stream."""
    return "reorder_point" in record["dynamodb"].get("NewImage", {})


def watch(records: list[Record]) -> None:
    """
    Look at the levels of stream *records*: note, and tell, that one has fallen through its reorder point; note that it has risen.

    What cannot be read steps aside into the dead letters.

    Raises:
        Unavailable: the table was not to be read or written; the whole batch comes again.
    """
    changed: dict[tuple[str, str], None] = {}
    for record in records:
        try:
            seen = store.level_of(from_image(record["dynamodb"]["NewImage"]))
        except (KeyError, TypeError, ValueError) as error:
            set_aside(setting("LEDGER_DEAD_LETTERS_URL"), record, f"The level cannot be read: {type(error).__name__}.")
        else:
            # Of one shard's units nobody knows what they are in all, nor whether others have come into being.
            changed[seen.variant_id, seen.warehouse_id] = None
    for place in changed:
        again(partial(_look, *place), "Its units are shifted all the time. Look again.")


def _look(variant_id: str, warehouse_id: str) -> None:
    """What was seen may be a picture of some time ago, shown again: what is so now decides."""
    have = shards.find_level(variant_id, warehouse_id)
    if have is None:
        return
    # Nobody's in particular: many may have taken from it.
    cause = Cause("stock", ("service",), ids.new())
    thresholds.spread(have, cause)
    level = allocation.whole(have.levels)
    if rules.has_fallen(level) or rules.has_risen(level):
        _note(have, cause)


def _note(have: Stocked, cause: Cause) -> None:
    level, alone = allocation.whole(have.levels), have.variant.shards_ever == 1
    if not alone:
        # Units on their way from one shard to another are in neither.
        shards.check_unmoved({have.variant.variant_id: have.variant})
    commit = Commit(cause)
    masters.note_low(commit, replace(level, low=not level.low), Moved, alone=alone)
    if not level.low:
        commit.emit(events.stock_level_low(level, have.variant.sku))
    # Whoever has changed it since will have it looked at again.
    with suppress(Moved):
        commit.write()
