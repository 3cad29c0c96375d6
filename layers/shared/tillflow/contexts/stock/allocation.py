"""
From where units are taken, and where they are put: warehouses, and shards of a level. No I/O, no clock, no chance.

Where several shards do equally well, the first one in the given order serves: whoever asks shuffles them, so that a crowd
does not stand before one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched, groupby

from tillflow.contexts.stock.rules import (
    MOST_LINES,
    OUT_OF_STOCK,
    UNKNOWN_SKU,
    VARIANT_EXPIRED,
    VARIANT_INACTIVE,
    Level,
    Line,
    ReservationRefused,
    Stocked,
    Variant,
)

type Demand = Mapping[str, int]


def allocate(demand: Demand, stocked: Mapping[str, Stocked], at: datetime) -> list[Line]:
    """
    Return from where *demand* (units by SKU) is served, all of it.

    One warehouse for the whole order where one has everything; else each SKU from the fullest warehouses first. Several
    shards serve only what none of them can alone, and then there may be more lines than `MOST_LINES`.

    Raises:
        ReservationRefused: a SKU is unknown, inactive or expired, or there is not enough of it (in few enough warehouses).
    """
    for sku in demand:
        if reason := _unsellable(stocked.get(sku), at):
            raise ReservationRefused(reason)
    lines = _from_one_warehouse(demand, stocked)
    lines = lines or [line for sku, quantity in demand.items() for line in _take_anywhere(stocked[sku], quantity)]
    if len({(line.variant_id, line.warehouse_id) for line in lines}) > MOST_LINES:
        raise ReservationRefused(OUT_OF_STOCK)
    return lines


def allocate_at_a_glance(demand: Demand, stocked: Mapping[str, Stocked], at: datetime) -> list[Line]:
    """Return how one warehouse serves all of *demand* from what was seen of it; nothing where that takes a closer look."""
    if any(_unsellable(stocked.get(sku), at) for sku in demand):
        return []
    return _from_one_warehouse(demand, stocked)


def _unsellable(have: Stocked | None, at: datetime) -> str | None:
    if have is None:
        return UNKNOWN_SKU
    if not have.variant.active:
        return VARIANT_INACTIVE
    return VARIANT_EXPIRED if have.variant.has_expired(at) else None


def _from_one_warehouse(demand: Demand, stocked: Mapping[str, Stocked]) -> list[Line]:
    for warehouse_id in sorted({level.warehouse_id for have in stocked.values() for level in have.levels}):
        wanted = ((stocked[sku], quantity) for sku, quantity in demand.items())
        here = [take(have.variant, have.levels_in(warehouse_id), quantity) for have, quantity in wanted]
        if all(here):
            return [line for lines in here for line in lines]
    return []


def _take_anywhere(have: Stocked, quantity: int) -> list[Line]:
    places = [have.levels_in(warehouse_id) for warehouse_id in {level.warehouse_id for level in have.levels}]
    lines = []
    for levels in sorted(places, key=lambda levels: (-total(levels), levels[0].warehouse_id)):
        taken = min(quantity, total(levels))
        lines += take(have.variant, levels, taken)
        quantity -= taken
    if quantity:
        raise ReservationRefused(OUT_OF_STOCK)
    return lines


def total(levels: Sequence[Level]) -> int:
    """Return what is available in all the levels together."""
    return sum(level.available for level in levels)


def by_warehouse(levels: Sequence[Level]) -> list[Level]:
    """Return the levels as if nothing were sharded: one for each warehouse, in the order of their ids."""
    warehouses = sorted({level.warehouse_id for level in levels})
    return [whole([level for level in levels if level.warehouse_id == each]) for each in warehouses]


def whole(shards: Sequence[Level]) -> Level:
    """Return a level as if it were not sharded: its first shard, which knows its reorder point, with the units of all."""
    return replace(min(shards, key=lambda level: level.shard), available=total(shards))


def take(variant: Variant, levels: Sequence[Level], quantity: int) -> list[Line]:
    """Return the lines that take *quantity* from one of the shards, or from the fullest; nothing where all have too little."""
    if total(levels) < quantity:
        return []
    able = [level for level in levels if level.available >= quantity]
    lines = []
    for level in able[:1] or sorted(levels, key=lambda level: -level.available):
        taken = min(quantity, level.available)
        quantity -= taken
        if taken:
            lines.append(_line(variant, level, taken))
    return lines


def put(variant: Variant, levels: Sequence[Level], quantity: int, most: int) -> list[Line]:
    """Return the lines that put *quantity* into the emptiest of the shards, at *most* so many, and leave those even."""
    emptiest = sorted(levels, key=lambda level: (level.available, level.shard))[:most]
    while total(emptiest) + quantity < emptiest[-1].available * len(emptiest):
        emptiest.pop()  # It has more than its share already.
    share, rest = divmod(total(emptiest) + quantity, len(emptiest))
    shares = [share + (number < rest) - level.available for number, level in enumerate(emptiest)]
    return [_line(variant, level, more) for level, more in zip(emptiest, shares, strict=True) if more]


def even_out(variant: Variant, levels: Sequence[Level], most: int) -> Iterator[list[Line]]:
    """
    Yield what makes the shards of one warehouse even, and empties those that the variant no longer uses.

    Each is a commit, of at *most* so many lines, that takes as much as it puts. It has to do with one shard on one side:
    while orders write to all of them, a commit of many never finds them all free.
    """
    used = sorted((level for level in levels if level.shard < variant.shards), key=lambda level: -level.available)
    share, rest = divmod(total(levels), variant.shards)
    wanted = {level.shard: share + (number < rest) for number, level in enumerate(used)}
    surplus = {level: level.available - wanted.get(level.shard, 0) for level in levels}
    sources = [(level, more) for level, more in surplus.items() if more > 0]
    targets = [(level, -more) for level, more in surplus.items() if more < 0]
    shifts = _pair(sources, targets)
    few_sources = len(sources) <= len(targets)
    for _, star in groupby(shifts, key=lambda shift: shift[0] if few_sources else shift[1]):
        for part in batched(star, most - 1, strict=False):
            yield _merged(variant, part)


type _Shift = tuple[Level, Level, int]


def _pair(sources: list[tuple[Level, int]], targets: list[tuple[Level, int]]) -> Iterator[_Shift]:
    """Yield from where to where how much goes, source by source and target by target."""
    sources, targets = sources[::-1], targets[::-1]
    while sources:
        (source, more), (target, less) = sources.pop(), targets.pop()
        units = min(more, less)
        yield source, target, units
        if more > units:
            sources.append((source, more - units))
        if less > units:
            targets.append((target, less - units))


def _merged(variant: Variant, shifts: Sequence[_Shift]) -> list[Line]:
    lines: dict[int, Line] = {}
    for source, target, units in shifts:
        for level, quantity in ((source, -units), (target, units)):
            line = lines.get(level.shard, _line(variant, level, 0))
            lines[level.shard] = replace(line, quantity=line.quantity + quantity)
    return list(lines.values())


def _line(variant: Variant, level: Level, quantity: int) -> Line:
    return Line(variant.variant_id, variant.sku, level.warehouse_id, quantity, level.shard)
