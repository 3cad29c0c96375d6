"""Whether what orders gave back came back: a returned sale by one event of its own, of the opposite lines (reservations.py)."""

from collections.abc import Iterable
from itertools import batched

from tillflow.contexts.stock import store, tables
from tillflow.contexts.stock.proof import returns_wrongly
from tillflow.contexts.stock.reservations import RETURNED, reservation_id_of, return_id_of
from tillflow.storage.attributes import Item

_AT_ONCE = 50


def wrong_returns(order_ids: Iterable[str]) -> dict[str, str]:
    """Return what is wrong with the returns of these orders, each of which is known to have given its units back, by order."""
    wrong = {}
    for some in batched(dict.fromkeys(order_ids), _AT_ONCE, strict=False):
        wanted = [each for order_id in some for each in (reservation_id_of(order_id), return_id_of(order_id))]
        events = {tables.id_of(event): event for event in store.find_events(wanted)}
        for order_id in some:
            what = _wrong(events.get(reservation_id_of(order_id)), events.get(return_id_of(order_id)))
            if what:
                wrong[order_id] = what
    return wrong


def _wrong(reservation: Item | None, its_return: Item | None) -> str | None:
    if reservation is None:
        return "it has no reservation"
    returned = store.lines_of(its_return) if its_return else None
    return returns_wrongly(store.lines_of(reservation), returned, is_returned=reservation["status"] == RETURNED)
