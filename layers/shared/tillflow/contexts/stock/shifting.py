"""
Shifts: units that change shards, and nothing else. Each is an event of the ledger that adds up to nothing.

Whatever they are for, no decision rests on them: where one is cut off, units are where they are, and are found there.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import batched

from tillflow.contexts.stock import allocation, masters, rules, shards, store
from tillflow.contexts.stock.rules import MOST_LINES, MOST_MOVED, SHIFTED, Line, Variant
from tillflow.errors import Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, deadline
from tillflow.storage.again import Moved, again
from tillflow.storage.commit import Commit
from tillflow.values import clock, ids

_UNFINISHED = "Not all units that are to change shards have done so yet. Send the same request again, and it goes on."


def settle(variant: Variant, cause: Cause) -> Variant:
    """
    Let the variant's units be spread over the shards that it has, if their number has changed, and return it.

    Raises:
        Unavailable: there was no time for all of them; sent again, the change goes on.
    """
    have = store.find_variant(variant.variant_id) if variant.units_behind else None
    if have is None:
        return variant
    for level in have.levels:
        even_out(variant.variant_id, level.warehouse_id, cause)
    commit = Commit(cause)
    masters.units_follow(commit, variant, Moved)
    with suppress(Moved):  # Whoever has changed it since sees to its units.
        commit.write()
    return replace(variant, units_behind=False)


def even_out(variant_id: str, warehouse_id: str, cause: Cause) -> None:
    """
    Shift units until the variant's shards in a warehouse have as many as each other, and those that it no longer uses none.

    Each commit conserves units. Nothing is shifted in a closed warehouse, where nothing is sold.

    Raises:
        Unavailable: there was no time to end it.
    """
    again(lambda: _try_even_out(variant_id, warehouse_id, cause), _UNFINISHED)


def _try_even_out(variant_id: str, warehouse_id: str, cause: Cause) -> None:
    (variant,) = store.find_variants([variant_id])
    levels = shards.find_levels([variant], warehouse_id)[variant_id]
    if not any(level.closed for level in levels):
        for lines in allocation.even_out(variant, levels, MOST_LINES):
            _shift(variant, lines, cause)


def even_out_later(variants: Sequence[Variant], warehouse_id: str, cause: Cause, *, room: int = MOST_MOVED) -> None:
    """When a movement is written, shift to those of its variants' shards that it had no *room* for, as far as that goes."""
    for variant in variants:
        if variant.shards > room // len(variants):
            with suppress(Unavailable):
                even_out(variant.variant_id, warehouse_id, cause)


def gather(variants: Iterable[Variant], lines: Sequence[Line], cause: Cause) -> None:
    """
    Let one shard of each warehouse have what these lines take from several: a commit would have to change too many.

    Raises:
        Moved: decide anew.
    """
    for variant in variants:
        of_variant = [line for line in lines if line.variant_id == variant.variant_id]
        for warehouse_id in sorted({line.warehouse_id for line in of_variant}):
            target, *others = [line for line in of_variant if line.warehouse_id == warehouse_id]
            for sources in batched(others, MOST_LINES - 1, strict=False):
                gained = replace(target, quantity=sum(line.quantity for line in sources))
                _shift(variant, [*rules.opposite(sources), gained], cause)
    raise Moved


def _shift(variant: Variant, lines: Sequence[Line], cause: Cause) -> None:
    """Write lines that only change shards: they add up to nothing."""
    # Many follow each other: better an honest error than a Lambda that is killed.
    if deadline.remaining() < aws.LONGEST_CALL_SECONDS:
        raise Unavailable(_UNFINISHED)
    commit = Commit(cause)
    event = {"type": "SHIFT", "status": SHIFTED, "occurred_at": clock.iso(cause.at), "created_by": cause.user_id}
    store.add_event(commit, store.event_item(ids.new(), event, lines), Moved)
    store.count_shift(commit, variant.variant_id)
    for line in lines:
        store.move(commit, line, Moved)
    commit.write()
