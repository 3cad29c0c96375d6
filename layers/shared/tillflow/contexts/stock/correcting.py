"""
What a level has and the ledger has not is entered into the ledger, as a count that corrects it names what it found.

The level stays as it is, for orders rest on it (fewer than no units become none): only if it still is what was looked at.
"""

from collections.abc import Sequence
from typing import Any

from tillflow.contexts.stock import rules, store, tables
from tillflow.contexts.stock.entries import recent_entry
from tillflow.contexts.stock.models import EventType, ReasonCode
from tillflow.contexts.stock.movement import movements_of
from tillflow.contexts.stock.proof import Difference, Sight
from tillflow.contexts.stock.rules import Level, Line, Warehouse
from tillflow.messaging.envelope import Cause
from tillflow.storage import batch
from tillflow.storage.again import Moved
from tillflow.storage.commit import Commit, absent, always, when
from tillflow.values import clock, ids

AUDITOR = "audit"


def correct(sight: Sight, audit_id: str) -> str | None:
    """
    Let the ledger have what the levels have, and return the id of the event that says so; None where none had to.

    Raises:
        Moved: a level is no longer as it was seen.
    """
    (warehouse,) = store.find_warehouses([sight.warehouse_id])
    # What one commit has room for; the next audit finds the rest.
    wrong = sight.differences[: rules.MOST_MOVED]
    event_id = None
    if wrong:
        commit = Commit(Cause(AUDITOR, (), audit_id))
        event_id = _enter(commit, warehouse, [line for each in wrong if (line := _line(sight, each))], audit_id)
        for each in wrong:
            _correct(commit, each, warehouse, sight.sku)
        commit.write()
    # They list what is not there; this way they are not found again.
    batch.delete(tables.movements(), [tables.key_of(entry) for _, entry in sight.account.lost])
    return event_id


def _line(sight: Sight, difference: Difference) -> Line | None:
    units = difference.corrected.available - difference.ledger.units
    return Line(*sight.pair[:1], sight.sku, sight.warehouse_id, units, difference.level.shard) if units else None


def _enter(commit: Commit, warehouse: Warehouse, lines: Sequence[Line], audit_id: str) -> str | None:
    if not lines:
        return None
    now = clock.iso(clock.now())
    attributes = {
        "type": EventType.ADJUST.value,
        "status": rules.POSTED,
        "reason_code": ReasonCode.COUNT_CORRECTION.value,
        "warehouse_code": warehouse.code,
        "notes": f"Audit {audit_id}: the level had {sum(line.quantity for line in lines):+} units that the ledger had not.",
        "occurred_at": now,
        "created_at": now,
        "created_by": AUDITOR,
    }
    event_id = ids.new()
    event = store.event_item(event_id, attributes, lines)
    (movement,) = movements_of(event)
    store.add_event(commit, event, lambda _: Moved())
    commit.put(tables.movements(), recent_entry(movement), when=always(), otherwise=lambda _: Moved())
    return event_id


def _correct(commit: Commit, difference: Difference, warehouse: Warehouse, sku: str) -> None:
    seen, corrected = difference.level, difference.corrected
    change: dict[str, Any] = {"available": corrected.available, "events": corrected.events}
    known = "#available = :units AND (attribute_not_exists(#events) OR #events = :number)"
    commit.update(
        tables.stock(),
        store.level_key(seen.variant_id, seen.warehouse_id, seen.shard),
        change=change if difference.there else change | _made(seen, warehouse, sku),
        when=when(known, units=seen.available, number=seen.events) if difference.there else absent(),
        otherwise=lambda _: Moved(),
    )


def _made(level: Level, warehouse: Warehouse, sku: str) -> dict[str, Any]:
    """Return what a level has that was gone: it is as open as its warehouse, and listed there."""
    is_open = {"warehouse_version": warehouse.version} | ({} if warehouse.active else {"closed": True})
    return is_open if level.shard else is_open | tables.listed(tables.levels_listed(warehouse.warehouse_id), sku)
