"""
The list of movements, written after the ledger from its stream (docs/adr/0012): each time the same, so any number of times.

What cannot be read steps aside into the dead letters; nothing behind it waits. While the table does not take the entries,
the whole batch comes again.
"""

import zlib
from collections.abc import Iterator
from itertools import chain

from tillflow.contexts.stock import homes, store, tables
from tillflow.contexts.stock.entries import entries_of, entries_of_shift
from tillflow.contexts.stock.movement import Movement, movements_of
from tillflow.contexts.stock.newcomers import enlist
from tillflow.contexts.stock.rules import SHIFTED
from tillflow.messaging.letters import Record, set_aside
from tillflow.runtime.config import setting
from tillflow.storage import batch
from tillflow.storage.attributes import Item, from_image


class _Unreadable(Exception):
    """The ledger has an item that is not one of ours."""


def project(records: list[Record]) -> int:
    """
    Enter what the stock events, sales and shifts of stream *records* moved, and the levels that are new; return how many moved.

    Raises:
        Unavailable: the tables did not take all of it.
    """
    movements: list[Movement] = []
    shifts: list[Item] = []
    for record in records:
        try:
            moved, shifted = _read(record)
        except _Unreadable as unreadable:
            set_aside(setting("LEDGER_DEAD_LETTERS_URL"), record, str(unreadable))
        else:
            movements, shifts = movements + moved, shifts + shifted
    # A batch may have an item twice.
    beyond = homes.beyond((line.variant_id, line.warehouse_id) for each in movements if each.is_sale for line in each.lines)
    listed = (_entries(each, beyond) for each in movements)
    entries = {(entry["pk"], entry["sk"]): entry for entry in chain(shifts, *listed)}
    batch.put(tables.movements(), entries.values())
    enlist(movements)
    # When all is listed, not before: a list finds a movement, or a level, here or there.
    recent = {each.movement_id: tables.recent_key(each.created_at, each.event_id) for each in movements if each.was_recorded}
    batch.delete(tables.movements(), recent.values())
    return len(movements)


def _read(record: Record) -> tuple[list[Movement], list[Item]]:
    """Return what a stock event moved, and the entries of one that only shifted units."""
    try:
        event = from_image(record["dynamodb"]["NewImage"])
        if event["status"] == SHIFTED:
            return [], list(entries_of_shift(tables.id_of(event), event["occurred_at"], store.lines_of(event)))
        return movements_of(event), []
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise _Unreadable(f"The stock event cannot be read: {type(error).__name__}.") from error


def _entries(movement: Movement, beyond: set[homes.Place]) -> Iterator[Item]:
    yield from entries_of(movement, beyond)
    if movement.is_part:
        yield tables.movement_key(movement.movement_id) | {"event_id": movement.event_id}
