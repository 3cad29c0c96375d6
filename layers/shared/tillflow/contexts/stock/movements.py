"""Stock events as they are asked for: one, a page of them, or a file's rows; to sellers those of their warehouses alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched, islice
from typing import Any

from tillflow.contexts.stock import masters, rules, store, tables
from tillflow.contexts.stock.entries import Filter
from tillflow.contexts.stock.listing import Entry, Listing, Sort
from tillflow.contexts.stock.models import StockEventExportQuery, StockEventPageQuery, StockEventQuery
from tillflow.contexts.stock.movement import Movement, movements_of, present
from tillflow.storage import database
from tillflow.storage.attributes import Item
from tillflow.web.numbered import MAX_NUMBERED, Named, page_of

_EXPORT_CHUNK = 500
_EVENTS_AT_ONCE = 100
# So few warehouses are looked up one by one; of more, so many are listed, unless this process knows as many.
_FEW, _MANY = 4, 100
# A warehouse's code never changes (its id follows from it): this process looks each up once.
_codes: dict[str, str] = {}


def find(movement_id: str, user_id: str, roles: Sequence[str]) -> dict[str, Any]:
    """
    Return one stock event.

    Raises:
        StockEventNotFound: there is none, or the caller is a seller who is not authorised in its warehouse.
    """
    movement = _find(movement_id)
    if movement is None or (rules.is_bound(roles) and not _may_see(movement.warehouse_id, user_id, roles)):
        raise rules.StockEventNotFound("There is no stock event with this id.")
    (shown,) = _presented([movement])
    return shown


def _find(movement_id: str) -> Movement | None:
    event = store.find_event(movement_id)
    if event is None and (part := database.get(tables.movements(), tables.movement_key(movement_id))):
        event = store.find_event(part["event_id"])
    found = movements_of(event) if event else []
    return next((each for each in found if each.movement_id == movement_id), None)


def _may_see(warehouse_id: str, user_id: str, roles: Sequence[str]) -> bool:
    try:
        rules.check_access(store.find_warehouse(warehouse_id), user_id, roles)
    except (rules.WarehouseForbidden, rules.WarehouseNotFound):
        return False
    return True


def check_list(query: StockEventQuery, user_id: str, roles: Sequence[str]) -> None:
    """
    Go on only if the caller may see all that is asked for.

    Raises:
        WarehouseForbidden: a seller asks for all warehouses, or for one that is not theirs (or that there is not).
    """
    if not rules.is_bound(roles):
        return
    if query.warehouseId is None:
        raise rules.WarehouseForbidden("Send the warehouseId of a warehouse that you are authorised for.")
    if not _may_see(str(query.warehouseId), user_id, roles):
        raise rules.WarehouseForbidden("You are not authorised for this warehouse.")


def page(query: StockEventPageQuery) -> dict[str, Any]:
    """
    Return a page of the stock events that *query* finds.

    Raises:
        InvalidPlace: the token is not of this list.
        InvalidQuestion: too much would have to be sorted.
    """
    listing: Listing

    def read(after: str, most: int) -> list[Named[Entry]]:
        nonlocal listing
        listing = Listing(_filter(query), _sort(query), after)
        return [(entry.position, entry) for entry in islice(listing, most)]

    def show(entries: list[Entry]) -> list[dict[str, Any]]:
        return _presented(_movements(entries))

    return page_of(query, of=_question(query), read=read, show=show, count=lambda: listing.count(MAX_NUMBERED + 1))


def export(query: StockEventExportQuery) -> Iterator[dict[str, Any]]:
    """Yield up to `limit` stock events."""
    entries = islice(Listing(_filter(query), _sort(query), chunk=_EXPORT_CHUNK), query.limit)
    for some in batched(entries, _EVENTS_AT_ONCE, strict=False):
        yield from _presented(_movements(some))


def _filter(query: StockEventQuery) -> Filter:
    warehouse_id, variant_id = (str(each) if each else None for each in (query.warehouseId, query.variantId))
    return Filter(query.type, query.reasonCode, warehouse_id, variant_id, query.since, query.until)


def _sort(query: StockEventQuery) -> Sort:
    order, _, direction = query.sort.partition(",")
    return Sort(order, descending=direction == "desc")


def _question(query: StockEventPageQuery) -> list[str]:
    """Return what a token holds for: the question, but for where in its answer the page is."""
    return [query.model_dump_json(exclude={"page", "next_token"})]


def _movements(entries: Sequence[Entry]) -> Iterator[Movement]:
    """Yield the movements that the *entries* are of, in their order."""
    wanted = [entry.event_id for entry in entries]
    events = _read(wanted, lambda some, consistent: {tables.id_of(each): each for each in _moved(some, consistent)})
    by_id = {each.movement_id: each for event in events.values() for each in movements_of(event)}
    # What is listed and not in the ledger (which was put back to an earlier time, say) is not shown.
    return (by_id[entry.movement_id] for entry in entries if entry.movement_id in by_id)


def _moved(event_ids: Iterable[str], consistent: bool) -> Iterator[Item]:  # noqa: FBT001 - as `_read` passes it on
    # A copy that is a moment old may show a sale as still pending.
    return (event for event in store.find_events(event_ids, consistent=consistent) if movements_of(event))


def _presented(movements: Iterable[Movement]) -> list[dict[str, Any]]:
    shown = list(movements)
    _learn({each.warehouse_id for each in shown if each.warehouse_code is None})
    return [present(each, each.warehouse_code or _codes[each.warehouse_id]) for each in shown]


def _learn(warehouse_ids: set[str]) -> None:
    """Know the codes of these warehouses."""
    if len(warehouse_ids - _codes.keys()) > _FEW and len(_codes) < _MANY:
        # An index page has them for a fraction of what they cost one by one.
        partitions = [tables.warehouses_listed(active=active) for active in (True, False)]
        _codes.update((tables.id_of(entry), entry["listed_as"]) for entry in masters.listed(partitions, "", "", _MANY))
    _codes.update(_read(warehouse_ids - _codes.keys(), _codes_of))


def _codes_of(warehouse_ids: Iterable[str], consistent: bool) -> dict[str, str]:  # noqa: FBT001
    return {each.warehouse_id: each.code for each in store.find_warehouses(warehouse_ids, consistent=consistent)}


def _read[T](wanted: Iterable[str], read: Callable[[Iterable[str], bool], dict[str, T]]) -> dict[str, T]:
    """Return what there is by id: at half the price, and what that does not show yet, at the whole."""
    found = read(wanted, False)
    missing = [each for each in wanted if each not in found]
    return found | (read(missing, True) if missing else {})


def forget() -> None:
    """Drop what is kept (tests)."""
    _codes.clear()
