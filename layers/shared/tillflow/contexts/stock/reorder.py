"""Reorder points: thresholds on levels, set and cleared; `watching` tells when what is available falls through one."""

from dataclasses import replace
from typing import Any

from tillflow.contexts.stock import allocation, browse, events, masters, rules, shards, thresholds
from tillflow.contexts.stock.rules import Level, LevelNotFound, Stocked
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved, again
from tillflow.storage.commit import Commit


def set_point(warehouse_id: str, variant_id: str, quantity: int | None, cause: Cause) -> dict[str, Any]:
    """
    Let the level be low when fewer than *quantity* are available (None: never). Where they are fewer already, that is no fall.

    Raises:
        WarehouseNotFound: there is none, or the caller is a seller whom it does not name.
        LevelNotFound: the warehouse has never had the variant.
    """
    browse.warehouse(warehouse_id, cause)
    unavailable = "Too many orders move it at this moment. Try again."
    return _present(again(lambda: _try_set(warehouse_id, variant_id, quantity, cause), unavailable))


def _try_set(warehouse_id: str, variant_id: str, quantity: int | None, cause: Cause) -> Level:
    have = shards.find_level(variant_id, warehouse_id)
    if have is None:
        raise LevelNotFound("The warehouse has never had this variant: let some come in first.")
    level = allocation.whole(have.levels)
    wanted = replace(level, reorder_point=quantity, low=quantity is not None and level.available < quantity)
    commit, untold = Commit(cause), rules.has_fallen(level)
    masters.set_reorder_point(commit, wanted, Moved, alone=have.variant.shards_ever == 1, untold=untold)
    if untold:
        # It fell through the threshold that it had, and nobody has looked yet.
        shards.check_unmoved({variant_id: have.variant})
        commit.emit(events.stock_level_low(level, have.variant.sku))
    commit.write()
    now = (replace(each, reorder_point=quantity) if each.shard == level.shard else each for each in have.levels)
    thresholds.spread(Stocked(have.variant, tuple(now)), cause)
    return wanted


def _present(level: Level) -> dict[str, Any]:
    return {
        "warehouseId": level.warehouse_id,
        "variantId": level.variant_id,
        "quantity": level.reorder_point,
        "available": level.available,
        "low": level.low,
    }
