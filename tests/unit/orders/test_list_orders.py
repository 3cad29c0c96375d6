"""The list of orders over its handler: whose, which, and page by page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from tests import shop
from tests.world import Answer, World
from tillflow.contexts.orders import store
from tillflow.contexts.orders.rules import Order
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws
from tillflow.storage.attributes import to_item
from tillflow.storage.commit import Commit
from tillflow.values import ids
from tillflow.web import paging

LIST = ["GET /api/orders", "GET /orders"]
NOON = datetime(2026, 2, 10, 12, tzinfo=UTC)
USERS = ["a#b", "ORDER#1", "user_id", "Ünïcode 🛒", "'; DROP TABLE", "u" * 128, "🛒" * 128, "1"]


def placed(minute: float = 0, *, user: str = "user-1", status: str = "pending", **cart: object) -> str:
    """Store an order as it is some minutes after noon, with more in its *cart*, and return its id."""
    at = NOON + timedelta(minutes=minute)
    order = Order(ids.new(), status, user, ("buyer",), shop.signed_cart() | cart, ids.new(), at, at)
    commit = Commit(Cause(user, (), order.trace_id, at))
    store.add(commit, order, lambda _: AssertionError())
    commit.write()
    return order.order_id


def asked(world: World, **query: object) -> Answer:
    return world.call(LIST[0], query={name.rstrip("_"): str(value) for name, value in query.items()})


def shown(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [order["id"] for order in answer.json["items"]]


def pages(world: World, **query: object) -> Iterator[list[str]]:
    """Yield the ids of page after page, to the end."""
    answer = asked(world, **query)
    yield shown(answer)
    while token := answer.json["next_token"]:
        answer = asked(world, **query, next_token=token)
        yield shown(answer)


@pytest.fixture
def read(world: World) -> Iterator[list[int]]:
    """How many orders each batch asks for; below zero, how many keys a query may bring."""
    del world
    counts: list[int] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        counts.append(-params["Limit"] if model.name == "Query" else len(params["RequestItems"]["OrdersTable"]["Keys"]))

    hooks = aws.client("dynamodb").meta.events
    for operation in ("Query", "BatchGetItem"):
        hooks.register(f"provide-client-params.dynamodb.{operation}", note)
    yield counts
    for operation in ("Query", "BatchGetItem"):
        hooks.unregister(f"provide-client-params.dynamodb.{operation}", note)


# --- whose --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", LIST)
def test_a_buyer_s_orders_are_listed_newest_first_each_as_it_is_shown_alone(world: World, route: str) -> None:
    shop.order(world), placed(1), placed(3), placed(2), placed(4, user="user-2")

    answer = world.call(route)

    newest = [order["createdAt"] for order in answer.json["items"]]
    assert len(newest) == 4
    assert newest == sorted(newest, reverse=True)
    for order in answer.json["items"]:
        assert order == world.call("GET /api/orders/{orderId}", path={"orderId": order["id"]}).json
    assert answer.json["next_token"] is None


@pytest.mark.parametrize(
    "junk", [{}, {"status": "pending", "roles": [], "trace_id": "t", "snapshot": b"junk"}], ids=["bare", "junk"]
)
def test_what_is_no_order_is_not_listed_and_hides_none(world: World, junk: dict[str, object]) -> None:
    own = placed()
    item = {"pk": "ORDER#junk", "sk": "ORDER", "user_id": "user-1", "created_at": "9999"} | junk
    world.put("OrdersTable", to_item(item))

    assert shown(asked(world)) == [own]


def test_who_has_ordered_nothing_has_an_empty_list(world: World) -> None:
    placed(user="user-2")

    assert world.call(LIST[0]).json == {"items": [], "next_token": None}


def test_a_buyer_may_name_themselves_and_nobody_else(world: World) -> None:
    own = placed()
    placed(user="user-2")

    assert shown(asked(world, userId="user-1")) == [own]
    foreign = asked(world, userId="user-2")
    assert (foreign.status, foreign.json["error_code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_who_may_write_orders_lists_any_user_s_and_says_whose(world: World, role: str) -> None:
    own, other = placed(user="op-1"), placed(user="user-2")

    def listed(**query: str) -> Answer:
        return world.call(LIST[0], user="op-1", roles=[role], query=query)

    assert shown(listed(userId="user-2")) == [other]
    assert shown(listed(userId="op-1")) == [own]
    assert listed().status == 422
    assert "userId" in listed().json["message"]


@pytest.mark.parametrize("user", USERS, ids=lambda user: ascii(user)[:20])
def test_whatever_a_user_is_called_their_list_is_theirs(world: World, user: str) -> None:
    theirs = [placed(minute, user=user) for minute in (2, 1)]
    placed(user=f"{user}x")

    first = world.call(LIST[0], user=user, query={"limit": "1"})
    second = world.call(LIST[0], user=user, query={"limit": "1", "next_token": first.json["next_token"]})

    assert shown(first) + shown(second) == theirs
    assert shown(world.call(LIST[0], user="op", roles=["operator"], query={"userId": user})) == theirs


# --- which --------------------------------------------------------------------------------------------------------


def test_a_window_has_both_its_ends(world: World) -> None:
    _, second, third, _ = (placed(minute) for minute in range(4))

    between = {"from": "2026-02-10T12:01:00Z", "to": "2026-02-10T14:02:00+02:00"}

    assert shown(world.call(LIST[0], query=between)) == [third, second]
    assert shown(world.call(LIST[0], query=between | {"from": between["to"]})) == [third]


def test_a_status_is_the_order_s_own_at_this_moment(world: World) -> None:
    shop.stock(world, 5)
    confirmed, pending = shop.order(world), shop.order(world)
    for step in ("reserve_stock", "charge_payment", "complete_order"):
        world.step(step, confirmed)

    assert shown(asked(world, status="confirmed")) == [confirmed]
    assert shown(asked(world, status="pending")) == [pending]
    assert shown(asked(world, status="failed")) == []


# --- page by page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "sizes"), [(25, [10, 10, 5]), (20, [10, 10]), (21, [10, 10, 1]), (9, [9])])
@pytest.mark.usefixtures("world")
def test_pages_follow_each_other_to_the_end(world: World, count: int, sizes: list[int]) -> None:
    newest_first = [placed(minute) for minute in range(count)][::-1]

    read = list(pages(world, limit=10))

    assert [len(page) for page in read] == sizes
    assert [*chain(*read)] == newest_first


def test_orders_of_one_moment_are_listed_once_each(world: World) -> None:
    together = {placed() for _ in range(7)}

    read = [*chain(*pages(world, limit=2))]

    assert len(read) == 7
    assert set(read) == together


def test_an_order_that_is_placed_meanwhile_moves_nothing(world: World) -> None:
    older = [placed(minute) for minute in range(4)][::-1]
    first = asked(world, limit=2)
    placed(9)

    second = asked(world, limit=50, next_token=first.json["next_token"])  # a page may have another size

    assert shown(first) + shown(second) == older


def test_twenty_are_a_page_where_nobody_says_how_many(world: World) -> None:
    for minute in range(21):
        placed(minute)

    assert [len(page) for page in pages(world)] == [20, 1]


@pytest.mark.parametrize("status", ["failed", "confirmed"])
def test_a_rare_status_is_found_page_by_page_and_no_page_reads_everything(world: World, read: list[int], status: str) -> None:
    rare = [placed(-1, status=status)]
    for minute in range(230):
        placed(minute)
    rare = [placed(500, status=status), *rare]

    found = []
    for page in pages(world, status=status, limit=5):
        found.append(page)
        assert sum(count for count in read if count > 0) <= 100
        assert len(read) <= 6  # one query, and twenty orders a batch
        read.clear()

    assert found == [rare[:1], [], rare[1:]]


def test_a_page_reads_no_more_orders_than_it_shows(world: World, read: list[int]) -> None:
    for minute in range(30):
        placed(minute)

    asked(world, limit=7)
    asked(world, limit=30)

    assert read == [-8, 7, -31, 30]


def test_a_common_status_reads_little_more_than_the_page(world: World, read: list[int]) -> None:
    for minute in range(60):
        placed(minute)

    assert len(shown(asked(world, limit=3, status="pending"))) == 3
    assert read == [-101, 20]


def test_the_largest_carts_make_shorter_pages(world: World) -> None:
    """What Lambda may answer is bounded: 100 carts of 95 KB, each quoted once more, would be a 502."""
    rules = {"rules": '"' * 47_000}
    newest_first = [placed(minute, pricingSnapshot=rules) for minute in range(40)][::-1]

    read = list(pages(world, limit=100))

    assert len(read) > 1
    assert [*chain(*read)] == newest_first
    assert len(asked(world, limit=100).text) < 6_000_000


# --- tokens -------------------------------------------------------------------------------------------------------


@pytest.fixture
def token(world: World) -> str:
    """What follows after the newest of two orders."""
    placed(1), placed(2)
    return str(asked(world, limit=1).json["next_token"])


def test_a_token_says_nothing_to_another_user(world: World, token: str) -> None:
    placed(user="user-2")

    refused = world.call(LIST[0], user="user-2", query={"next_token": token})
    of_another = world.call(LIST[0], user="op", roles=["operator"], query={"next_token": token, "userId": "user-2"})

    for answer in (refused, of_another):
        assert (answer.status, answer.json["error_code"]) == (422, "INVALID_NEXT_TOKEN")
        assert "begin without it" in answer.json["message"]


@pytest.mark.parametrize("other", [{"status": "pending"}, {"from": "2026-01-01"}, {"to": "2027-01-01"}], ids=str)
def test_a_token_belongs_to_its_filters(world: World, token: str, other: dict[str, str]) -> None:
    assert world.call(LIST[0], query={"next_token": token, **other}).status == 422


def test_no_character_of_a_token_can_be_changed(world: World, token: str) -> None:
    for position in range(len(token)):
        spoiled = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert asked(world, next_token=spoiled).status == 422, position
    for spoiled in (token[:-1], f"{token}A", f"{token}=", f" {token}", token * 2):
        assert asked(world, next_token=spoiled).status == 422, spoiled


AN_ORDER = ids.derived("order", "nobody's")
PLACES = [
    (),
    ("2026-02-10T12:01:00.000Z",),
    ("2026-02-10T12:01:00.000Z", "none"),
    ("2026-02-10T12:01:00.000Z", AN_ORDER, AN_ORDER),
    ("2025-01-01T00:00:00.000Z", AN_ORDER),
    ("2027-01-01T00:00:00.000Z", AN_ORDER),
    ("", AN_ORDER),
]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_token_that_somebody_made_up_leads_nowhere(world: World, place: tuple[str, ...]) -> None:
    """Its digest is no secret. DynamoDB refuses to begin outside the window: that must not become a fault of ours."""
    window = {"from": "2026-02-10T00:00:00.000Z", "to": "2026-02-11T00:00:00.000Z"}
    forged = paging.token(place, ("user-1", None, *window.values()))

    assert world.call(LIST[0], query={**window, "next_token": forged}).status == 422


def test_a_token_that_somebody_made_up_shows_no_more_than_their_own_list(world: World) -> None:
    own, foreign = placed(1), placed(2, user="user-2")
    forged = paging.token(
        ("2026-02-10T12:02:00.000Z", foreign), ("user-1", None, "2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z")
    )

    answer = world.call(LIST[0], query={"from": "2026-01-01", "to": "2027-01-01", "next_token": forged})

    assert shown(answer) == [own]
