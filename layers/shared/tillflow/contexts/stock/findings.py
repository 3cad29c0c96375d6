"""What an audit found: told once each, in the log and in its answer, and corrected if that was asked for."""

from collections.abc import Mapping
from typing import Any

from tillflow.contexts.stock import checkpoints, correcting
from tillflow.contexts.stock.checkpoints import Checkpoint, Pair
from tillflow.contexts.stock.proof import Difference, Sight, Sum
from tillflow.contexts.stock.rules import Level
from tillflow.runtime import metrics
from tillflow.runtime.invocation import logger
from tillflow.storage.again import Moved
from tillflow.values import ids

# An answer of Lambda's has six megabytes.
_MOST_TOLD = 1000


class Findings:
    """What is wrong; with *repair*, levels' differences are entered into the ledger as they are told."""

    def __init__(self, *, repair: bool) -> None:
        self.audit_id = ids.new()
        self.pairs: list[Pair] = []
        self.orders: dict[str, str] = {}
        self._repair = repair
        self._differences: list[dict[str, Any]] = []
        self._repaired = 0

    def tell(self, sight: Sight) -> None:
        """Take down the levels that are not what the ledger has of them."""
        self.pairs.append(sight.pair)
        known = checkpoints.read([sight.pair]).get(sight.pair, Checkpoint())
        repair = self._correct(sight) if self._repair else {"repaired": False}
        for each in sight.differences or [_of_none(sight)]:
            told = _present(sight, each, known) | repair
            logger.error("a level is not what the ledger has", extra={"audit_id": self.audit_id, "difference": told})
            self._differences.append(told)
            self._repaired += repair["repaired"]

    def _correct(self, sight: Sight) -> dict[str, Any]:
        try:
            return {"repaired": True, "repairedBy": correcting.correct(sight, self.audit_id)}
        except Moved:
            return {"repaired": False}

    def returns(self, wrong: Mapping[str, str]) -> None:
        """Take down the orders whose returns are *wrong*."""
        for order_id, what in wrong.items():
            logger.error("a return is wrong", extra={"audit_id": self.audit_id, "order_id": order_id, "reason": what})
        self.orders |= wrong

    def answer(self) -> dict[str, Any]:
        """Return them, and let the alarm know how many there are."""
        metrics.count("AuditDifferences", len(self._differences) + len(self.orders))
        wrong = [{"orderId": order_id, "reason": reason} for order_id, reason in self.orders.items()]
        return {
            "auditId": self.audit_id,
            "differences": self._differences[:_MOST_TOLD],
            "returns": wrong[:_MOST_TOLD],
            "found": len(self._differences) + len(wrong),
            "repaired": self._repaired,
        }


def _of_none(sight: Sight) -> Difference:
    """Return the level of a sight of which only the list is wrong."""
    level = sight.levels.get(0)
    return Difference(level or Level(*sight.pair, 0), level is not None, sight.account.standing.get(0, Sum()))


def _present(sight: Sight, difference: Difference, known: Checkpoint) -> dict[str, Any]:
    return {
        "variantId": sight.variant_id,
        "sku": sight.sku,
        "warehouseId": sight.warehouse_id,
        "shard": difference.level.shard,
        "available": difference.level.available,
        "ledger": difference.ledger.units,
        "units": difference.units,
        "events": difference.level.events - difference.ledger.events,
        "lostEvents": [event_id for event_id, _ in sight.account.lost],
        "since": known.last,
        "provenAt": known.proven_at,
    }
