"""A user's orders, listed over HTTP (contract: orders-service.md, with `GET /api/orders` besides)."""

from collections.abc import Iterator

import pytest

from tests.integration.behind import Behind
from tests.integration.scene import Caller, Json, Order, Scene, line, refused

LIST = "/api/orders"


@pytest.fixture(scope="module")
def buyer(scene: Scene) -> Caller:
    return scene.caller("buyer")


@pytest.fixture(scope="module")
def placed(scene: Scene, buyer: Caller) -> list[Order]:
    """Twenty-five orders of one buyer, newest first; the oldest is canceled, the others go their way."""
    orders = [scene.order(line(scene.plenty), buyer=buyer) for _ in range(25)]
    assert scene.cancel(orders[0]).status_code == 200
    return orders[::-1]


def ids(orders: list[Order]) -> list[str]:
    return [order.order_id for order in orders]


def pages(caller: Caller, path: str = LIST, **query: str | int) -> Iterator[list[Json]]:
    token: Json = {}
    while token is not None:
        answer = caller.get(path, **query, **token)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page.keys() == {"items", "next_token"}
        yield page["items"]
        token = page["next_token"] and {"next_token": page["next_token"]}


@pytest.mark.parametrize("path", [LIST, "/orders"])
def test_orders_are_listed_newest_first_page_by_page(buyer: Caller, placed: list[Order], path: str) -> None:
    read = list(pages(buyer, path, limit=10))

    assert [len(page) for page in read] == [10, 10, 5]
    assert [order["id"] for page in read for order in page] == ids(placed)


def test_a_listed_order_is_the_order(scene: Scene, behind: Behind, buyer: Caller, placed: list[Order]) -> None:
    behind.settle(placed[0].order_id)

    (first,) = buyer.get(LIST, limit=1).json()["items"]

    assert first == scene.read(placed[0])


def test_orders_are_listed_by_status(buyer: Caller, placed: list[Order]) -> None:
    found = [order["id"] for page in pages(buyer, status="canceled") for order in page]

    assert found == ids(placed[-1:])


def test_orders_are_listed_by_window(buyer: Caller, placed: list[Order]) -> None:
    moments = [order["createdAt"] for page in pages(buyer) for order in page]
    window = {"from": moments[5], "to": moments[3]}

    within = [order for page in pages(buyer, limit=2, **window) for order in page]

    # Others may have been placed in the first and in the last millisecond.
    assert set(ids(placed[3:6])) <= {order["id"] for order in within}
    assert all(window["from"] <= order["createdAt"] <= window["to"] for order in within)


def test_a_list_is_for_its_user_and_for_those_who_run_the_shop(scene: Scene, buyer: Caller, placed: list[Order]) -> None:
    other = scene.caller("buyer")

    for caller in (scene.operator, scene.admin):
        assert [order["id"] for page in pages(caller, userId=buyer.user_id) for order in page] == ids(placed)
        refused(caller.get(LIST), 422)
    assert other.get(LIST).json() == {"items": [], "next_token": None}
    for stranger in (other, scene.manager):
        refused(stranger.get(LIST, userId=buyer.user_id), 403)


def test_a_page_token_is_for_its_list(scene: Scene, buyer: Caller, placed: list[Order]) -> None:
    token = buyer.get(LIST, limit=10).json()["next_token"]

    following = buyer.get(LIST, limit=1, next_token=token).json()["items"]
    assert [order["id"] for order in following] == ids(placed[10:11])
    refused(scene.caller("buyer").get(LIST, next_token=token), 422)
    refused(buyer.get(LIST, next_token=token, status="confirmed"), 422)
    refused(buyer.get(LIST, next_token=token[:-1]), 422)


def test_a_list_without_a_credential_is_refused(scene: Scene) -> None:
    assert scene.anonymous.get(LIST).status_code == 401


@pytest.mark.parametrize("user_id", ["a#b c", "Ünïcode 🛒", "o'hara+1@example.com", "x" * 128], ids=ascii)
def test_whatever_a_user_is_called_their_orders_are_listed(scene: Scene, user_id: str) -> None:
    caller = scene.caller("buyer", user_id=user_id)
    order = scene.order(line(scene.plenty), buyer=caller)

    for asking, query in ((caller, {}), (scene.operator, {"userId": user_id})):
        assert [each["id"] for each in asking.get(LIST, **query).json()["items"]] == [order.order_id]
