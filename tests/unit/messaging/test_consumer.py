"""Consumers behind their queues: one bad message neither holds up nor repeats the others."""

from typing import Any

import pytest

from tests import shop
from tests.messages import ENVELOPE, batch, event_id, failed, message
from tests.world import Context, World
from tillflow.messaging.consumer import consumer


def test_each_message_s_envelope_is_handled() -> None:
    seen: list[str] = []
    handler = consumer(lambda envelope: seen.append(envelope["event_id"]))

    assert failed(handler(batch(message(), message(event_id=event_id(2))), Context())) == []
    assert seen == [event_id(1), event_id(2)]


@pytest.mark.parametrize(
    "bad", ["", "not JSON", "[]", "null", "{}", {"detail": None}, {"detail": "text"}, {"detail": {}}], ids=str
)
def test_a_message_that_is_no_event_is_reported_and_the_others_are_handled(bad: object) -> None:
    seen: list[str] = []
    handler = consumer(lambda envelope: seen.append(envelope["event_id"]))

    assert failed(handler(batch(message(), bad, message(event_id=event_id(2))), Context())) == ["m-1"]
    assert seen == [event_id(1), event_id(2)]


def test_what_a_handler_raises_is_reported_by_message() -> None:
    def handle(envelope: dict[str, Any]) -> None:
        if envelope["event_id"] == "bad":
            raise RuntimeError("a bug")

    assert failed(consumer(handle)(batch(message(event_id="bad"), message()), Context())) == ["m-0"]


# --- release requests ----------------------------------------------------------------------------------------------


def request(order_id: str, /, **changes: Any) -> dict[str, Any]:
    data = {"order_id": order_id, "reason": "PAYMENT_FAILED"} | changes
    return message(event_type="InventoryReleaseRequested", data=data)


def test_a_release_request_from_anyone_gives_the_stock_back_once(world: World) -> None:
    # GIVEN an order that holds 3 of 5 units
    shop.stock(world, 5)
    order_id = shop.order(world, shop.line(quantity=3))
    world.step("reserve_stock", order_id)
    assert shop.level(world) == (5, 3, 2)

    # WHEN its release is asked for three times, twice in one batch
    world.invoke("stock/on_inventory_release_requested", batch(request(order_id), request(order_id)))
    world.invoke("stock/on_inventory_release_requested", batch(request(order_id)))

    # THEN the units are back once, and that is told once, as part of the order's story
    assert shop.level(world) == (5, 0, 5)
    (told,) = world.events("InventoryReleased")
    assert told["data"]["reason"] == "PAYMENT_FAILED"
    assert told["trace_id"] == world.events("InventoryReserved")[0]["trace_id"] != ENVELOPE["trace_id"]


def test_a_reason_from_anyone_is_kept_short(world: World) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    world.step("reserve_stock", order_id)

    world.invoke("stock/on_inventory_release_requested", batch(request(order_id, reason="x" * 200_000)))

    (told,) = world.events("InventoryReleased")
    assert told["data"]["reason"] == "x" * 200


@pytest.mark.parametrize(
    "change",
    [
        {"identity": {"user_id": 1.5, "roles": []}},
        {"identity": {"user_id": "x" * 250_000, "roles": []}},
        {"identity": {"user_id": "a-clerk", "roles": ["x" * 250_000]}},
        {"identity": None},
        {"occurred_at": 1},
        {"version": 2},
    ],
    ids=lambda change: str(change)[:50],
)
def test_an_envelope_that_is_none_releases_nothing(world: World, change: dict[str, Any]) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    world.step("reserve_stock", order_id)
    forged = request(order_id)
    forged["detail"] |= change

    assert failed(world.invoke("stock/on_inventory_release_requested", batch(forged))) == ["m-0"]

    assert shop.level(world) == (5, 1, 4)
    assert world.events("InventoryReleased") == []


def test_a_release_request_for_an_order_that_holds_nothing_does_nothing(world: World) -> None:
    order_id = shop.order(world)

    assert failed(world.invoke("stock/on_inventory_release_requested", batch(request(order_id)))) == []
    assert world.events("InventoryReleased") == []


def test_what_was_sold_is_not_released(world: World) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    for step in ("reserve_stock", "charge_payment", "complete_order"):
        world.step(step, order_id)

    world.invoke("stock/on_inventory_release_requested", batch(request(order_id)))

    assert shop.level(world) == (4, 0, 4)


@pytest.mark.parametrize("change", [{"order_id": "none"}, {"order_id": None}, {"reason": None}, {"reason": 7}], ids=str)
def test_a_malformed_release_request_goes_to_the_dead_letters(world: World, change: dict[str, Any]) -> None:
    wanted = request("45c6f025-7241-5c12-8fe5-0086db318f39", **change)

    assert failed(world.invoke("stock/on_inventory_release_requested", batch(wanted))) == ["m-0"]
