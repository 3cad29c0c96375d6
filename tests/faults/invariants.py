"""What must be so whatever happened, on one page; what one command does besides is said where it is registered."""

from collections import Counter, defaultdict
from typing import Any, Protocol

from tillflow.contexts.eventflow.eventlog import of_item, opened
from tillflow.contexts.eventflow.pages import entries_on
from tillflow.contexts.eventflow.tables import is_consumer
from tillflow.contexts.orders import rules as orders
from tillflow.contexts.orders.store import _order
from tillflow.contexts.stock import rules as stock
from tillflow.contexts.stock import tables
from tillflow.contexts.stock.entries import entries_of, entries_of_shift
from tillflow.contexts.stock.movement import movements_of
from tillflow.contexts.stock.store import lines_of
from tillflow.contexts.stock.tables import id_of, is_level, place_of
from tillflow.storage.attributes import Item

# What causes these causes them once for an order. (Anyone may ask for a release, as often as they like.)
ONCE = {
    "OrderCreated",
    "InventoryReserved",
    "InventoryFailed",
    "InventoryReleaseRequested",
    "InventoryReleased",
    "PaymentSucceeded",
    "PaymentFailed",
    "orders.order_placed.v1",
    "orders.order_canceled.v1",
}
_UNDONE_STOCK = {None, stock.REFUSED, stock.RELEASED, stock.RETURNED}
_UNDONE_PAYMENT = {None, "failed", "voided", "refunded"}


class Stored(Protocol):
    """What is stored and was published: a world, or what was read of one."""

    published: list[dict[str, Any]]

    def items(self, table: str) -> list[Item]:
        """Return every item of *table*, as plain values."""


def check(world: Stored) -> None:
    """Hold the world against every invariant."""
    check_stock(world)
    check_movements(world)
    check_events(world)
    check_pages(world)
    _check_consumers(world)
    _check_money(world)
    for item in world.items("OrdersTable"):
        _check_order(world, item)


def check_stock(world: Stored) -> None:
    """Units are conserved: each shard has the sum of the ledger's lines that stand, never below zero, and counts their events."""
    items = world.items("StockTable")
    ledger: Counter[tuple[str, str, int]] = Counter()
    events: Counter[tuple[str, str, int]] = Counter()
    for event in (item for item in items if item["sk"] == "EVENT"):
        assert event["status"] in stock.STANDING | {stock.REFUSED, stock.RELEASED}
        lines = lines_of(event)
        assert event["status"] != stock.SHIFTED or not sum(line.quantity for line in lines), "a shift made or lost units"
        for line in lines:
            place = line.variant_id, line.warehouse_id, line.shard
            ledger[place] += line.quantity if event["status"] in stock.STANDING else 0
            events[place] += event["status"] in stock.STANDING
    levels = Counter({place_of(item): item["available"] for item in items if is_level(item)})
    assert levels == ledger, "levels and ledger differ"
    assert Counter({place_of(item): item.get("events", 0) for item in items if is_level(item)}) == events, "events are miscounted"
    assert all(available >= 0 for available in levels.values()), "fewer than no units are available"


def check_movements(world: Stored) -> None:
    """The list of movements says what the ledger does, each once, and shifts apart; what it lists is no longer recent."""
    ledger = [item for item in world.items("StockTable") if item["sk"] == "EVENT"]
    moved = [each for item in ledger for each in movements_of(item)]
    shifted = [item for item in ledger if item["status"] == stock.SHIFTED]
    listed = world.items("MovementsTable")
    entered = {(entry["pk"], entry["sk"]) for entry in listed if len(entry["pk"]) == tables.PARTITION_LENGTH}
    shifts = [entries_of_shift(id_of(each), each["occurred_at"], lines_of(each)) for each in shifted]
    at_home = {(id_of(item), each) for item in world.items("StockTable") for each in item.get("homes", ())}
    sold = {(line.variant_id, line.warehouse_id) for each in moved if each.is_sale for line in each.lines}
    expected = {
        (entry["pk"], entry["sk"])
        for entries in (*(entries_of(each, sold - at_home) for each in moved), *shifts)
        for entry in entries
    }
    assert entered <= expected, "a movement is listed that is not in the ledger"
    assert entered == expected, "a movement of the ledger is not listed"
    assert tables.RECENT not in {entry["pk"] for entry in listed}, "a projected event still is recent"
    firsts = [item for item in world.items("StockTable") if is_level(item) and not place_of(item)[2]]
    assert all("listed" in item for item in firsts), "a level is in no index"


def logged_in(world: Stored) -> list[dict[str, Any]]:
    """Return the envelopes of every event that is stored."""
    return [opened(item).envelope for item in world.items("EventsTable") if item["sk"] == "EVENT"]


def check_events(world: Stored) -> None:
    """Each event that was published is in the log once, and none of a kind that happens once has happened twice."""
    logged = Counter(event["event_id"] for event in logged_in(world))
    published = {event["detail"]["event_id"]: event for event in world.published}
    ours = {event_id for event_id, event in published.items() if event["source"].startswith("tillflow.")}
    assert not [event_id for event_id, times in logged.items() if times > 1], "an event is in the log twice"
    assert set(logged) == set(published), "what was on the bus and what is in the log differ"
    ids: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for event_id, event in published.items():
        if event_id in ours and event["detail-type"] in ONCE:
            ids[event["detail"]["data"]["order_id"], event["detail-type"]].add(event_id)
    assert not [what for what, found in ids.items() if len(found) > 1], "something happened twice"


def check_pages(world: Stored) -> None:
    """The indexes of events list each that is in the log, once, under what it is; and nothing else."""
    listed: defaultdict[str, set[str]] = defaultdict(set)
    for page in (item for item in world.items("EventsTable") if "entries" in item):
        of = str(page["pk"]).rsplit("#", 2)[0]
        listed[of] |= {entry.event_id for entry in entries_on(page)}
    expected: defaultdict[str, set[str]] = defaultdict(set)
    for event in (of_item(item) for item in world.items("EventsTable") if item["sk"] == "EVENT"):
        for of in ("ALL", f"TYPE#{event.event_type}", f"PRODUCER#{event.producer_id}"):
            expected[of].add(event.event_id)
    assert listed == expected, "an index lists what is not in the log, or does not list what is"


def _check_consumers(world: Stored) -> None:
    """As many consumers are counted as there are."""
    items = world.items("EventFlowTable")
    counted = sum(item["consumers"] for item in items if "consumers" in item)
    assert counted == sum(is_consumer(item) and item["status"] != "DELETING" for item in items), "consumers are miscounted"


def _check_money(world: Stored) -> None:
    """Nobody is charged twice, and what is kept is what the confirmed orders cost."""
    charges = world.items("SandboxChargesTable")
    charged = Counter(charge["order_id"] for charge in charges if "reference" in charge)
    assert all(times == 1 for times in charged.values()), "an order was charged twice"
    kept = {charge["order_id"]: charge["amount"] for charge in charges if charge["status"] == "charged"}
    ended = [_order(item) for item in world.items("OrdersTable") if "unsettled" not in item]
    for order in ended:
        cost = order.total if order.status == orders.CONFIRMED else 0
        assert kept.pop(order.order_id, 0) == cost, f"the {order.status} order costs {cost}"
    assert len(kept) <= len(world.items("OrdersTable")) - len(ended), "money without an order"


def _check_order(world: Stored, item: Item) -> None:
    """An order that has ended has ended everywhere."""
    order = _order(item)
    if "unsettled" in item:
        return
    reservation, payment = reservation_of(world, order.order_id), payment_of(world, order.order_id)
    if order.status == orders.CONFIRMED:
        assert reservation == stock.POSTED, f"confirmed, but its stock is {reservation}"
        assert payment == "succeeded", f"confirmed, but its payment is {payment}"
    else:
        assert order.status in {orders.FAILED, orders.CANCELED}, f"settled, but {order.status}"
        assert reservation in _UNDONE_STOCK, f"{order.status}, but its stock is {reservation}"
        assert payment in _UNDONE_PAYMENT, f"{order.status}, but its payment is {payment}"
    assert "payment_token" not in item, "the payment token is kept without need"


def reservation_of(world: Stored, order_id: str) -> Any:
    """Return the status of the order's reservation, or None."""
    found = [item for item in world.items("StockTable") if item.get("order_id") == order_id and item["type"] == "OUTBOUND"]
    assert len(found) <= 1, "an order has two reservations"
    return found[0]["status"] if found else None


def payment_of(world: Stored, order_id: str) -> Any:
    """Return the status of the order's payment, or None."""
    found = [item for item in world.items("PaymentsTable") if item["pk"] == f"PAYMENT#{order_id}"]
    return found[0]["status"] if found else None


def statuses(world: Stored) -> set[str]:
    """Return the statuses that orders have."""
    return {item["status"] for item in world.items("OrdersTable")}


def happened(world: Stored, anew: frozenset[str] = frozenset()) -> dict[str, int]:
    """Return how often each type of event is in the log; of those in *anew*, that it is."""
    times = Counter(event["event_type"] for event in logged_in(world))
    return {kind: 1 if kind in anew else number for kind, number in times.items()}


def importing(world: Stored) -> list[str]:
    """Return the imports that have not ended."""
    return [tables.id_of(item) for item in world.items("StockTable") if item["sk"] == "IMPORT" and item["status"] == "running"]


def replaying(world: Stored) -> list[Item]:
    """Return the replays that have not ended."""
    return [item for item in world.items("EventFlowTable") if item["pk"].startswith("REPLAYS#") and item["status"] == "RUNNING"]


def overdue(world: Stored, now: str) -> bool:
    """Tell whether the schedule has something to start again."""
    orders_due = [item["due_at"] for item in world.items("OrdersTable") if "unsettled" in item]
    imports_due = [item["listed_as"] for item in world.items("StockTable") if item.get("listed") == tables.IMPORTS_RUNNING]
    replays_due = [item["listed_as"] for item in replaying(world)]
    return any(due <= now for due in (*orders_due, *imports_due, *replays_due))


def unsettled(world: Stored) -> list[str]:
    """Return the orders whose saga has not ended."""
    return [item["pk"] for item in world.items("OrdersTable") if "unsettled" in item]
