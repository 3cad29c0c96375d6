"""`make event`: a sample told anew makes its deployed function do real work, and so does what has happened before it."""

import json

import pytest

from local.platform.stack import Stack
from local.shop import fresh, samples
from tests.integration.behind import Behind
from tests.integration.scene import Scene, line
from tillflow.contexts.orders import tables

# Where no saga must be held back, an event is fast to arrange.
AT_ONCE = sorted(name for name in samples.names().values() if not fresh.plays_saga(name))


def status_of(behind: Behind, order_id: str) -> str:
    item = behind.item("OrdersTable", tables.order_key(order_id))
    assert item is not None
    return str(item["status"])


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_function_takes_its_fresh_event(stack: Stack, name: str) -> None:
    answer = fresh.invoke(stack, name, fresh.event(stack, name))

    assert answer.get("statusCode", 200) < 300


def test_a_fresh_cart_becomes_an_order_that_the_saga_confirms(stack: Stack, behind: Behind) -> None:
    answer = fresh.invoke(stack, "orders/create_order", fresh.event(stack, "orders/create_order"))

    order_id = json.loads(answer["body"])["orderId"]
    assert answer["statusCode"] == 201
    behind.settle(order_id)
    assert status_of(behind, order_id) == "confirmed"


def test_a_step_of_the_saga_finds_a_pending_order_that_only_it_moves(stack: Stack, scene: Scene, behind: Behind) -> None:
    event = fresh.event(stack, "order_saga/complete_order")

    assert status_of(behind, event["order_id"]) == "pending"
    assert behind.runs(event["order_id"]) == []
    fresh.invoke(stack, "order_saga/complete_order", event)
    assert status_of(behind, event["order_id"]) == "confirmed"
    # No other order is held back from then on.
    assert behind.settle(scene.order(line(scene.plenty)).order_id)


def test_an_order_is_undone_before_its_release_is_listed(stack: Stack) -> None:
    answer = fresh.invoke(stack, "stock/list_releases", fresh.event(stack, "stock/list_releases"))

    (reason,) = {each["reason"] for each in json.loads(answer["body"])["content"][:1]}
    assert reason == "PROCESSING_FAILED"


def test_a_fresh_token_is_active(stack: Stack) -> None:
    answer = fresh.invoke(stack, "identity/introspect_token", fresh.event(stack, "identity/introspect_token"))

    assert json.loads(answer["body"])["active"] is True
