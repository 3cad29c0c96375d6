"""
Every ending of an order: its status, the way of its saga, its events, its money and its stock.

All orders of ENDINGS are placed at once, each on articles of its own; each test then looks at one of them.
"""

import json
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import jsonschema  # type: ignore[import-untyped] # ships no types
import pytest

from local.docs import schemas
from tests.integration.behind import Behind
from tests.integration.scene import PRICE_CENTS, Article, Caller, Order, Scene, line, unique

FORWARD = ["ReserveStock", "ChargePayment", "CompleteOrder"]
UNDO = ["FailOrder", "AnythingToUndo", "RefundPayment", "ReleaseStock"]
NOTHING_TO_UNDO = ["FailOrder", "AnythingToUndo", "NothingToUndo"]

PLACED = ("OrderCreated", "orders.order_placed.v1")
PAID = (*PLACED, "InventoryReserved", "PaymentSucceeded")
TAKEN_BACK = ("InventoryReleaseRequested", "InventoryReleased")

STOCK = 5
BUYERS = 20

# The contract's fields of each event's data (event-contracts.md); those of the two order events are Tillflow's own.
DATA = {
    "OrderCreated": {"order_id", "user_id", "items", "total_amount"},
    "InventoryReserved": {"order_id", "reservation_id", "reserved_items"},
    "InventoryFailed": {"order_id", "reservation_id", "reason"},
    "InventoryReleaseRequested": {"order_id", "reason"},
    "InventoryReleased": {"release_id", "order_id", "reservation_id", "reason", "released_items"},
    "PaymentSucceeded": {"order_id", "payment_id"},
    "PaymentFailed": {"order_id", "payment_id", "reason"},
    "orders.order_placed.v1": {
        "order_id",
        "user_id",
        "snapshot_id",
        "currency",
        "item_count",
        "total_quantity",
        "subtotal_cents",
    },
    "orders.order_canceled.v1": {"order_id", "user_id", "reason", "canceled_at"},
}


@dataclass(frozen=True)
class Ending:
    """One way for an order to end: what is wanted of each SKU (a line each), paid how, and what must come of it."""

    status: str
    states: list[str]
    events: tuple[str, ...]
    wanted: tuple[tuple[str, int], ...] = (("A", 2),)
    card: str = "tok_success"
    price: int = PRICE_CENTS
    reason: str | None = None
    decline: str | None = None
    sold: Mapping[str, int] = field(default_factory=dict)
    charges: int = 0


ENDINGS = {
    "paid": Ending("confirmed", FORWARD, PAID, sold={"A": 2}, charges=1),
    "several lines of one SKU are one demand": Ending(
        "confirmed", FORWARD, PAID, wanted=(("A", 2), ("A", 3)), sold={"A": 5}, charges=1
    ),
    "two SKUs": Ending("confirmed", FORWARD, PAID, wanted=(("A", 1), ("B", 4)), sold={"A": 1, "B": 4}, charges=1),
    "free": Ending("confirmed", FORWARD, PAID, price=0, sold={"A": 2}),
    "the gateway charges, then times out": Ending(
        "confirmed", FORWARD, PAID, card="tok_timeout_after_charge", sold={"A": 2}, charges=1
    ),
    "card declined": Ending(
        "failed",
        ["ReserveStock", "ChargePayment", *UNDO],
        (*PLACED, "InventoryReserved", "PaymentFailed", *TAKEN_BACK),
        card="tok_declined",
        reason="PAYMENT_FAILED",
        decline="card_declined",
    ),
    "insufficient funds": Ending(
        "failed",
        ["ReserveStock", "ChargePayment", *UNDO],
        (*PLACED, "InventoryReserved", "PaymentFailed", *TAKEN_BACK),
        card="tok_insufficient_funds",
        reason="PAYMENT_FAILED",
        decline="insufficient_funds",
    ),
    "the gateway is unavailable": Ending(
        "failed",
        ["ReserveStock", "ChargePayment", *UNDO],
        (*PLACED, "InventoryReserved", *TAKEN_BACK),
        card="tok_unavailable",
        reason="PROCESSING_FAILED",
    ),
    "out of stock": Ending(
        "failed",
        ["ReserveStock", *NOTHING_TO_UNDO],
        (*PLACED, "InventoryFailed"),
        wanted=(("A", STOCK + 1),),
        reason="OUT_OF_STOCK",
    ),
    "several lines of one SKU are more than there is": Ending(
        "failed",
        ["ReserveStock", *NOTHING_TO_UNDO],
        (*PLACED, "InventoryFailed"),
        wanted=(("A", 3), ("A", 3)),
        reason="OUT_OF_STOCK",
    ),
    "all or nothing": Ending(
        "failed",
        ["ReserveStock", *NOTHING_TO_UNDO],
        (*PLACED, "InventoryFailed"),
        wanted=(("A", 1), ("B", STOCK + 1)),
        reason="OUT_OF_STOCK",
    ),
    "unknown SKU": Ending(
        "failed",
        ["ReserveStock", *NOTHING_TO_UNDO],
        (*PLACED, "InventoryFailed"),
        wanted=(("A", 1), ("?", 1)),
        reason="UNKNOWN_SKU",
    ),
}


@dataclass(frozen=True)
class Play:
    """An order of ENDINGS, and its articles by their letter."""

    order: Order
    articles: dict[str, Article]


@pytest.fixture(scope="module")
def plays(scene: Scene) -> dict[str, Play]:
    """The orders, all placed."""
    return {name: _place(scene, ending) for name, ending in ENDINGS.items()}


def _place(scene: Scene, ending: Ending) -> Play:
    articles = {letter: scene.article(STOCK) for letter in {letter for letter, _ in ending.wanted} - {"?"}}
    lines = [line(articles.get(letter) or unique("NO-SUCH-SKU"), quantity, ending.price) for letter, quantity in ending.wanted]
    return Play(scene.order(*lines, card=ending.card), articles)


@pytest.mark.parametrize("name", ENDINGS)
def test_an_order_ends_as_it_must(scene: Scene, behind: Behind, plays: dict[str, Play], name: str) -> None:
    ending, play = ENDINGS[name], plays[name]
    (run,) = behind.settle(play.order.order_id)
    shown = scene.read(play.order)
    assert (shown["status"], shown["failureReason"], shown["declineCode"]) == (ending.status, ending.reason, ending.decline)
    assert (run.status, run.states) == ("SUCCEEDED", ending.states)


@pytest.mark.parametrize("name", ENDINGS)
def test_only_a_confirmed_order_takes_stock_and_money(scene: Scene, behind: Behind, plays: dict[str, Play], name: str) -> None:
    ending, play = ENDINGS[name], plays[name]
    behind.settle(play.order.order_id)
    left = {letter: STOCK - ending.sold.get(letter, 0) for letter in play.articles}
    assert {letter: scene.level(article) for letter, article in play.articles.items()} == {
        letter: (units, 0, units) for letter, units in left.items()
    }
    total = play.order.body["cartSnapshot"]["totals"]["subtotalCents"]
    assert behind.charges(play.order.order_id) == [("charged", total)] * ending.charges


@pytest.mark.parametrize("name", ENDINGS)
def test_an_order_tells_its_story_in_events(behind: Behind, plays: dict[str, Play], name: str) -> None:
    ending, play = ENDINGS[name], plays[name]
    behind.settle(play.order.order_id)
    events = behind.events(play.order.trace_id, *ending.events)
    assert Counter(event["event_type"] for event in events) == Counter(ending.events)
    for event in events:
        is_as_contracted(event, play.order)
        assert event["identity"] == {"user_id": play.order.buyer.user_id, "roles": ["buyer"]}


def is_as_contracted(event: dict[str, Any], order: Order) -> None:
    """Hold an event against its contract and its published schema."""
    kind = event["event_type"]
    assert event.keys() == {"event_id", "event_type", "occurred_at", "trace_id", "identity", "data", "version"}
    assert event["occurred_at"].endswith("Z")
    assert event["data"].keys() == DATA[kind]
    assert event["data"]["order_id"] == order.order_id
    schema = json.loads(schemas.path_of(kind).read_text())
    jsonschema.validate(event, schema, format_checker=jsonschema.FormatChecker())


def test_an_event_shows_amounts_as_decimals_and_lines_as_the_cart_had_them(behind: Behind, plays: dict[str, Play]) -> None:
    play = plays["several lines of one SKU are one demand"]
    sku = play.articles["A"].sku
    events = {event["event_type"]: event["data"] for event in behind.events(play.order.trace_id, *PAID)}
    assert events["OrderCreated"]["items"] == [
        {"sku_id": sku, "quantity": 2, "price": 12.50},
        {"sku_id": sku, "quantity": 3, "price": 12.50},
    ]
    assert events["OrderCreated"]["total_amount"] == 62.50
    assert events["InventoryReserved"]["reserved_items"] == [{"sku_id": sku, "quantity": 5}]


def test_a_declined_card_returns_every_unit_under_the_ids_that_it_was_reserved_under(
    behind: Behind, plays: dict[str, Play]
) -> None:
    play = plays["card declined"]
    events = {event["event_type"]: event["data"] for event in behind.events(play.order.trace_id, *TAKEN_BACK)}
    assert events["PaymentFailed"]["reason"] == "card_declined"
    assert events["InventoryReleaseRequested"]["reason"] == events["InventoryReleased"]["reason"] == "PAYMENT_FAILED"
    assert events["InventoryReleased"]["reservation_id"] == events["InventoryReserved"]["reservation_id"]
    assert events["InventoryReleased"]["released_items"] == events["InventoryReserved"]["reserved_items"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"active": False}, "VARIANT_INACTIVE"), ({"expiresAt": "2020-01-01T00:00:00Z"}, "VARIANT_EXPIRED")],
    ids=["inactive", "expired"],
)
def test_what_is_not_for_sale_is_not_sold(scene: Scene, behind: Behind, more: dict[str, Any], reason: str) -> None:
    order = scene.order(line(scene.variant(**more)))
    behind.settle(order.order_id)
    assert scene.read(order)["failureReason"] == reason


def test_a_confirmed_order_that_is_canceled_is_refunded_and_restocked(scene: Scene, behind: Behind) -> None:
    article = scene.article(STOCK)
    order = scene.order(line(article, 3))
    behind.settle(order.order_id)
    assert scene.level(article) == (2, 0, 2)
    assert scene.cancel(order).status_code == 200
    runs = behind.settle(order.order_id, runs=2)
    assert [run.states for run in runs] == [FORWARD, ["ReserveStock", *UNDO]]
    assert scene.read(order)["status"] == "canceled"
    assert scene.level(article) == (STOCK, 0, STOCK)
    assert behind.charges(order.order_id) == [("canceled", 3 * PRICE_CENTS)]
    expected = (*PAID, "orders.order_canceled.v1", "InventoryReleased")
    events = behind.events(order.trace_id, *expected)
    assert Counter(event["event_type"] for event in events) == Counter(expected)
    for event in events:
        is_as_contracted(event, order)
    canceled = next(event for event in events if event["event_type"] == "orders.order_canceled.v1")
    assert canceled["identity"] == {"user_id": scene.operator.user_id, "roles": ["operator"]}
    assert canceled["data"]["reason"] == "customer_request"


@pytest.mark.parametrize("head_start", range(3))
def test_a_cancel_that_races_with_the_saga_wins_whole_whenever_it_comes(scene: Scene, behind: Behind, head_start: int) -> None:
    """The cancel is sent when the log has so many of the order's events: the saga may be anywhere then."""
    article = scene.article(STOCK)
    order = scene.order(line(article, 2))
    behind.wait_for_events(order.trace_id, head_start)
    assert scene.cancel(order).status_code == 200
    behind.settle(order.order_id, runs=2)
    assert scene.read(order)["status"] == "canceled"
    assert scene.level(article) == (STOCK, 0, STOCK)
    assert not [amount for status, amount in behind.charges(order.order_id) if status == "charged"]
    told = Counter(event["event_type"] for event in behind.events(order.trace_id, *PLACED, "orders.order_canceled.v1"))
    assert told["InventoryReserved"] == told["InventoryReleased"] <= 1
    assert told["PaymentFailed"] == told["InventoryFailed"] == 0


def test_twenty_buyers_race_for_the_last_five_units(scene: Scene, behind: Behind) -> None:
    article = scene.article(STOCK)
    buyers = [scene.caller("buyer") for _ in range(BUYERS)]

    def buy(buyer: Caller) -> Order:
        return scene.order(line(article), buyer=buyer)

    with ThreadPoolExecutor(8) as tills:
        orders = list(tills.map(buy, buyers))
    for order in orders:
        behind.settle(order.order_id)
    ended = {order.order_id: scene.read(order) for order in orders}
    assert Counter(shown["status"] for shown in ended.values()) == {"confirmed": STOCK, "failed": BUYERS - STOCK}
    assert {shown["failureReason"] for shown in ended.values()} == {None, "OUT_OF_STOCK"}
    assert scene.level(article) == (0, 0, 0)
    charged = {order_id: behind.charges(order_id) for order_id in ended}
    assert charged == {
        order_id: [("charged", PRICE_CENTS)] if shown["status"] == "confirmed" else [] for order_id, shown in ended.items()
    }
