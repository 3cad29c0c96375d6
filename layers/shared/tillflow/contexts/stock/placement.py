"""Where the units of an order come from, and those of a movement go to, when variants have shards."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from tillflow.contexts.stock import allocation, shards, shifting
from tillflow.contexts.stock.rules import (
    MOST_LINES,
    MOST_MOVED,
    Level,
    Line,
    ReservationRefused,
    Stocked,
    Variant,
    opposite,
    variant_id_of,
)
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved

type Short = Callable[[Line, int], Exception]
# A line, the error that it means when there is not enough, of what is available, and the reorder point that its shard lacks.
type Move = tuple[Line, Callable[[int], Exception], int | None]


def allocate(demand: Mapping[str, int], cause: Cause) -> list[Line]:
    """
    Return from where *demand* (units by SKU) is served (see `allocation.allocate`), in lines that one commit can take.

    Raises:
        ReservationRefused: of all shards together there is not enough, or a SKU may not be sold.
        Moved: units were shifted meanwhile.
    """
    seen = _found({sku: shards.glimpse(variant_id_of(sku)) for sku in demand})
    before = {have.variant.variant_id: have.variant for have in seen.values()}
    if all(variant.shards_ever == 1 for variant in before.values()):
        return allocation.allocate(demand, seen, cause.at)
    return allocation.allocate_at_a_glance(demand, seen, cause.at) or _allocate_of_all(demand, before, cause)


def _allocate_of_all(demand: Mapping[str, int], before: Mapping[str, Variant], cause: Cause) -> list[Line]:
    have = _found({sku: shards.find_variant(variant_id_of(sku)) for sku in demand})
    try:
        lines = allocation.allocate(demand, have, cause.at)
    except ReservationRefused:
        shards.check_unmoved(before)
        raise
    if len(lines) > MOST_LINES:
        shifting.gather([each.variant for each in have.values()], lines, cause)
    return lines


def spread(lines: Sequence[Line], variants: Sequence[Variant], cause: Cause, short: Short, room: int = MOST_MOVED) -> list[Move]:
    """
    Return the lines of a movement in one warehouse, each of one of *variants*: of a sharded one by shard, if there is *room*.

    Each comes with the error that it means when there is not enough, which is *short* of the line and of what is available, and
    with the level's reorder point where its shard is one that came into being since that was set.

    Raises:
        what *short* returns: of all shards together there is not enough.
        Moved: units were shifted meanwhile.
    """
    sharded = [variant for variant in variants if variant.shards_ever > 1]
    levels = shards.find_levels(sharded, lines[0].warehouse_id)
    most = 1 + max(0, room - len(lines)) // max(1, len(sharded))
    moves: list[Move] = []
    scattered: list[Line] = []
    for line, variant in zip(lines, variants, strict=True):
        if variant.shards_ever == 1:
            moves.append((line, partial(_short_of, variant, line, short), None))
        else:
            of_line = levels[variant.variant_id]
            parts = _put(variant, of_line, line, most) if line.quantity > 0 else _take(variant, of_line, line, short)
            point, known = allocation.whole(of_line).reorder_point, {level.shard: level.reorder_point for level in of_line}
            moves += [(part, lambda _: Moved(), point if known[part.shard] != point else None) for part in parts]
            scattered += opposite(parts) if len(parts) > most else ()
    if scattered:
        # All at once: what it gathers it reads again, from the first line on.
        shifting.gather(sharded, scattered, cause)
    return moves


def _short_of(variant: Variant, line: Line, short: Short, available: int) -> Exception:
    """Return what it means that the only shard has too little: perhaps it no longer is."""
    try:
        shards.check_unmoved({variant.variant_id: variant})
    except Moved as moved:
        return moved
    return short(line, available)


def _put(variant: Variant, levels: Sequence[Level], line: Line, most: int) -> list[Line]:
    return allocation.put(variant, [level for level in levels if level.shard < variant.shards], line.quantity, most)


def _take(variant: Variant, levels: Sequence[Level], line: Line, short: Short) -> list[Line]:
    taken = allocation.take(variant, levels, -line.quantity)
    if not taken:
        shards.check_unmoved({variant.variant_id: variant})
        raise short(line, allocation.total(levels))
    return opposite(taken)


def _found(stocked: Mapping[str, Stocked | None]) -> dict[str, Stocked]:
    return {sku: have.open for sku, have in stocked.items() if have}
