"""
Shards: a variant whose levels are spread over several counters, each in a partition of its own (docs/adr/0015).

One partition takes a thousand write units a second. So an order looks at one shard, drawn by lot, and at all of them only
where that one cannot serve it. What is seen of a part grants, and never refuses. A variant that never had but one shard is
read and written as if there were no others.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tillflow.contexts.stock import allocation, store
from tillflow.contexts.stock.rules import Level, Stocked, Variant
from tillflow.storage.again import Moved
from tillflow.values import clock

# So long a process sells by what it has read of a sharded variant: a deactivation takes hold that much later.
KEPT_SECONDS = 5.0
# (until when, what) by id.
_kept: dict[str, tuple[float, Variant]] = {}


def forget() -> None:
    """Drop what this process has kept (for tests)."""
    _kept.clear()


def find_variant(variant_id: str) -> Stocked | None:
    """Return the variant with all its levels, every shard of each, or None."""
    have = _look_at_the_first(variant_id)
    if have is None or have.variant.shards_ever == 1:
        return have
    shards = range(1, have.variant.shards_ever)
    others = _find([(variant_id, level.warehouse_id, shard) for level in have.levels for shard in shards])
    return Stocked(have.variant, tuple(_shuffled([*have.levels, *others])))


def find_levels(variants: Sequence[Variant], warehouse_id: str) -> dict[str, list[Level]]:
    """Return every shard of the variants in one warehouse, by variant's id."""
    found = _find([(each.variant_id, warehouse_id, shard) for each in variants for shard in range(each.shards_ever)])
    return {each.variant_id: _shuffled([level for level in found if level.variant_id == each.variant_id]) for each in variants}


def find_totals(warehouse_id: str, variant_ids: Iterable[str]) -> dict[str, Level]:
    """Return those of the variants' levels in a warehouse that there are, each as one, by variant's id, perhaps a moment old."""
    shards = {variant.variant_id: variant.shards_ever for variant in store.find_variants(variant_ids, consistent=False)}
    places = [(variant_id, warehouse_id, shard) for variant_id, ever in shards.items() for shard in range(ever)]
    found = defaultdict[str, list[Level]](list)
    for level in store.find_levels(places, consistent=False):
        found[level.variant_id].append(level)
    return {variant_id: allocation.whole(levels) for variant_id, levels in found.items()}


def find_level(variant_id: str, warehouse_id: str) -> Stocked | None:
    """Return a variant and its level in one warehouse, every shard of it that there is; None where it never had any."""
    for variant in store.find_variants([variant_id]):
        levels = tuple(store.find_levels((variant_id, warehouse_id, shard) for shard in range(variant.shards_ever)))
        if any(level.shard == 0 for level in levels):
            return Stocked(variant, levels)
    return None


def _find(places: Sequence[store.Place]) -> list[Level]:
    """Return the levels, those that nothing was ever put into too."""
    found = {(level.variant_id, level.warehouse_id, level.shard): level for level in store.find_levels(places)}
    return [found.get(place) or Level(*place[:2], 0, shard=place[2]) for place in places]


def _shuffled(levels: Sequence[Level]) -> list[Level]:
    return random.sample(levels, len(levels))


def glimpse(variant_id: str) -> Stocked | None:
    """Return the variant, perhaps as it was some seconds ago, and one of its shards: all that there is where it has no other."""
    until, variant = _kept.get(variant_id, (0.0, None))
    have = None
    if variant is None or until < clock.monotonic():
        have = _look_at_the_first(variant_id)
        if have is None:
            return None
        variant = have.variant
    shard = random.randrange(variant.shards)  # noqa: S311 - a lot, not a secret
    if shard:
        return Stocked(variant, store.find_shard(variant_id, shard))
    return have or _look_at_the_first(variant_id)


def _look_at_the_first(variant_id: str) -> Stocked | None:
    """Return the variant and its first shard, which share a partition; keep what is known of it, if it has others."""
    have = store.find_variant(variant_id)
    if have and have.variant.shards_ever > 1:
        _kept[variant_id] = clock.monotonic() + KEPT_SECONDS, have.variant
    return have


def check_unmoved(before: Mapping[str, Variant]) -> None:
    """
    Go on only if the variants are as they were: then no units were shifted from where none had looked to where all had.

    Raises:
        Moved: one is not.
    """
    now = {variant.variant_id: variant for variant in store.find_variants(before)}
    if now != before:
        for variant_id in before:
            _kept.pop(variant_id, None)
        raise Moved
