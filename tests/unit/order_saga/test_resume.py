"""Sagas that did not end are started again, once per deadline."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests import shop
from tests.world import Context, World
from tillflow.contexts.orders.rules import OrderUnreadable
from tillflow.runtime import aws
from tillflow.storage.attributes import to_item
from tillflow.storage.tables import index_partition
from tillflow.values import clock

RESUME = "order_saga/resume_stuck_orders"


@pytest.fixture
def started(world: World) -> Iterator[list[dict[str, Any]]]:
    """The inputs that the saga is started with."""
    del world
    inputs: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        inputs.append(json.loads(params["input"]))

    hooks = aws.client("stepfunctions").meta.events
    hooks.register("provide-client-params.stepfunctions.StartExecution", note)
    yield inputs
    hooks.unregister("provide-client-params.stepfunctions.StartExecution", note)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    moment = clock.now() + timedelta(seconds=seconds)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_a_young_order_is_left_alone(world: World, started: list[Any]) -> None:
    shop.order(world)

    assert world.invoke(RESUME, {}) == {"resumed": 0}
    assert started == []


def test_an_overdue_order_s_saga_is_started_with_what_it_reads_of_an_event(
    world: World, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = shop.order(world)
    later(monkeypatch, 601)

    assert world.invoke(RESUME, {}) == {"resumed": 1}

    assert started == [{"data": {"order_id": order_id}}]


def test_what_there_is_no_time_for_is_left_to_the_next_minute(
    world: World, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.order(world)
    later(monkeypatch, 601)

    assert world.invoke(RESUME, {}, Context(milliseconds=3 * aws.LONGEST_CALL_SECONDS * 1000 - 1)) == {"resumed": 0}
    assert started == []
    assert world.invoke(RESUME, {}) == {"resumed": 1}


def test_what_is_no_order_stops_none_and_is_told_of(world: World, started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = shop.order(world)
    junk = {"pk": "ORDER#junk", "sk": "ORDER", "unsettled": index_partition(order_id), "due_at": clock.EARLIEST}
    world.put("OrdersTable", to_item(junk))
    later(monkeypatch, 601)

    with pytest.raises(OrderUnreadable, match="Order junk"):
        world.invoke(RESUME, {})

    assert started == [{"data": {"order_id": order_id}}]


def test_it_is_started_once_per_deadline(world: World, started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    shop.order(world)
    later(monkeypatch, 601)
    assert [world.invoke(RESUME, {})["resumed"] for _ in range(2)] == [1, 0]

    later(monkeypatch, 601)
    assert world.invoke(RESUME, {})["resumed"] == 1
    assert len(started) == 2


def test_many_overdue_orders_are_all_found(world: World, started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    orders = {shop.order(world) for _ in range(12)}
    later(monkeypatch, 601)

    assert world.invoke(RESUME, {}) == {"resumed": 12}
    assert {given["data"]["order_id"] for given in started} == orders


def test_an_order_whose_saga_has_ended_is_left_alone(world: World, started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN one order that was confirmed, one that failed and was undone, one that got no stock
    shop.stock(world, 2)
    confirmed, undone, refused = shop.order(world), shop.order(world), shop.order(world, shop.line(quantity=99))
    for step in ("reserve_stock", "charge_payment", "complete_order"):
        world.step(step, confirmed)
    for step in ("fail_order", "refund_payment", "release_stock"):
        world.step(step, undone)
    with pytest.raises(Exception, match="OUT_OF_STOCK"):
        world.step("reserve_stock", refused)
    assert world.step("fail_order", refused) == {"undo": False}

    # WHEN all of them would be overdue
    later(monkeypatch, 601)

    # THEN none is started again
    assert world.invoke(RESUME, {}) == {"resumed": 0}
    assert started == []


def test_a_canceled_order_is_undone_even_if_its_event_was_lost(
    world: World, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a confirmed order that is canceled
    shop.stock(world, 2)
    order_id = shop.order(world)
    for step in ("reserve_stock", "charge_payment", "complete_order"):
        world.step(step, order_id)
    world.call("POST /api/orders/{orderId}/cancel", roles=["operator"], path={"orderId": order_id})

    # WHEN nothing undoes it in time
    later(monkeypatch, 601)

    # THEN the schedule does
    assert world.invoke(RESUME, {}) == {"resumed": 1}
    assert [given["data"]["order_id"] for given in started] == [order_id]
