"""Steps that run twice, late, or after another run of theirs broke off."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from tests import shop
from tests.world import World
from tillflow.contexts.orders import service as orders
from tillflow.contexts.payments import service as payments
from tillflow.contexts.stock import reservations
from tillflow.messaging.envelope import Cause
from tillflow.values import clock

FORWARD = ("reserve_stock", "charge_payment", "complete_order")
UNDO = ("refund_payment", "release_stock")


def shown(world: World, order_id: str) -> Any:
    path = {"orderId": order_id}
    return world.call("GET /api/orders/{orderId}", roles=["operator"], path=path).json


def is_settled(order_id: str) -> bool:
    return order_id not in set(orders.unsettled())


def charges(world: World) -> list[str]:
    return [item["status"] for item in world.items("SandboxChargesTable")]


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("the run broke off")


def cause_of(order_id: str) -> Cause:
    order = orders.find(order_id)
    return Cause(order.user_id, (), order.trace_id)


def test_an_order_that_reserved_nothing_and_whose_undoing_broke_off_is_settled_by_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN an order whose reservation failed for technical reasons, and whose run ended between its last two writes
    order_id = shop.order(world)
    assert world.step("fail_order", order_id) == {"undo": True}
    world.step("refund_payment", order_id)
    with monkeypatch.context() as patch:
        patch.setattr(orders, "settle", broken)
        with pytest.raises(RuntimeError):
            world.step("release_stock", order_id)
    assert not is_settled(order_id)

    # WHEN it is run again
    assert world.step("fail_order", order_id) == {"undo": True}
    for step in UNDO:
        world.step(step, order_id)

    # THEN it is settled
    assert is_settled(order_id)


def test_a_canceled_order_whose_reservation_was_refused_is_settled(world: World) -> None:
    # GIVEN an order that is short of stock, canceled before its saga could fail it
    order_id = shop.order(world)
    with pytest.raises(reservations.ReservationRefused):
        world.step("reserve_stock", order_id)
    world.call("POST /api/orders/{orderId}/cancel", roles=["operator"], path={"orderId": order_id})

    # WHEN its saga goes on
    assert world.step("fail_order", order_id) == {"undo": True}
    for step in UNDO:
        world.step(step, order_id)

    assert is_settled(order_id)
    assert shown(world, order_id)["status"] == "canceled"


def test_an_order_that_was_refused_is_failed_and_settled_at_once(world: World) -> None:
    order_id = shop.order(world)
    with pytest.raises(reservations.ReservationRefused):
        world.step("reserve_stock", order_id)

    assert world.step("fail_order", order_id) == {"undo": False}

    assert is_settled(order_id)
    assert shown(world, order_id)["failureReason"] == "UNKNOWN_SKU"


def test_a_confirmed_order_is_not_undone(world: World) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    for step in FORWARD:
        world.step(step, order_id)

    assert world.step("fail_order", order_id) == {"undo": False}
    assert shown(world, order_id)["status"] == "confirmed"


def test_stock_that_was_released_meanwhile_is_the_reason(world: World) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    world.step("reserve_stock", order_id)
    reservations.release(order_id, "asked", cause_of(order_id))

    with pytest.raises(reservations.ReservationRefused):
        world.step("complete_order", order_id)
    world.step("fail_order", order_id)

    assert shown(world, order_id)["failureReason"] == "STOCK_RELEASED"


def test_a_pending_order_is_not_settled(world: World) -> None:
    """Else nobody would ever resume it."""
    order_id = shop.order(world)

    orders.settle(order_id, cause_of(order_id))

    assert not is_settled(order_id)


def test_a_settled_order_gets_no_new_deadline(world: World) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    for step in FORWARD:
        world.step(step, order_id)

    orders.postpone(order_id, cause_of(order_id))

    (item,) = world.items("OrdersTable")
    assert "due_at" not in item


def test_stock_is_given_back_before_the_order_is_settled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    world.step("reserve_stock", order_id)
    world.step("fail_order", order_id)

    monkeypatch.setattr(reservations, "give_back", broken)
    with pytest.raises(RuntimeError):
        world.step("release_stock", order_id)

    assert not is_settled(order_id)


def test_stock_is_sold_before_the_order_is_confirmed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    for step in FORWARD[:2]:
        world.step(step, order_id)

    monkeypatch.setattr(orders, "confirm", broken)
    with pytest.raises(RuntimeError):
        world.step("complete_order", order_id)

    assert reservations.standing_of(order_id)[0] == "posted"
    assert shop.level(world) == (4, 0, 4)  # sold, though its order is not settled yet


def test_what_the_saga_tells_it_tells_of_the_order_s_own_user_and_trace(world: World) -> None:
    """Anyone may have put the event on the bus that started it."""
    shop.stock(world, 5)
    order_id = shop.order(world)
    made_up = {"trace_id": "t", "identity": {"user_id": 1.5, "roles": "admin"}, "occurred_at": "never"}
    for step in FORWARD:
        world.invoke(f"order_saga/{step}", {"order_id": order_id, **made_up})

    assert shown(world, order_id)["status"] == "confirmed"
    (created,) = world.events("OrderCreated")
    for told in (*world.events("InventoryReserved"), *world.events("PaymentSucceeded")):
        assert (told["identity"], told["trace_id"]) == (created["identity"], created["trace_id"])
    assert created["identity"] == {"user_id": "user-1", "roles": ["buyer"]}


@pytest.mark.parametrize("order_id", ["none", "45c6f025-7241-5c12-8fe5-0086db318f39", 7, None, {"S": "x"}, "x" * 3_000], ids=str)
def test_an_order_that_somebody_made_up_is_neither_driven_nor_undone(world: World, order_id: Any) -> None:
    for step in (*FORWARD, *UNDO):
        with pytest.raises(orders.OrderNotFound):
            world.step(step, order_id)

    assert world.step("fail_order", order_id) == {"undo": False}
    assert all(world.items(table) == [] for table in world.tables if table != "IdentityTable")


# --- money --------------------------------------------------------------------------------------------------------


def test_a_paid_order_is_completed_however_old_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    for step in FORWARD[:2]:
        world.step(step, order_id)

    later = clock.now() + timedelta(hours=21)
    monkeypatch.setattr(clock, "now", lambda: later)
    for step in FORWARD:
        world.step(step, order_id)

    assert shown(world, order_id)["status"] == "confirmed"
    assert charges(world) == ["charged"]


def test_an_order_that_a_gateway_may_have_forgotten_is_not_charged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    world.step("reserve_stock", order_id)

    later = clock.now() + timedelta(hours=20, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(payments.PaymentRefused, match="too old"):
        world.step("charge_payment", order_id)

    assert charges(world) == []


def test_a_decline_is_told_with_the_gateway_s_word(world: World) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world, paymentToken="tok_insufficient_funds")
    world.step("reserve_stock", order_id)
    with pytest.raises(payments.PaymentRefused, match="insufficient_funds"):
        world.step("charge_payment", order_id)
    world.step("fail_order", order_id)

    failed = shown(world, order_id)
    assert (failed["failureReason"], failed["declineCode"]) == ("PAYMENT_FAILED", "insufficient_funds")


@pytest.mark.parametrize("late", ["charge_payment", "refund_payment"])
def test_a_voided_payment_takes_back_what_was_charged_late(world: World, monkeypatch: pytest.MonkeyPatch, late: str) -> None:
    # GIVEN a charge of which nobody wrote down that it was made, and a payment that was voided beside it
    shop.stock(world, 5)
    order_id = shop.order(world)
    for step, part in (("charge_payment", "store.add"), ("refund_payment", "_take_back")):
        with monkeypatch.context() as patch:
            patch.setattr(f"tillflow.contexts.payments.service.{part}", broken)
            with pytest.raises(RuntimeError):
                world.step(step, order_id)
    assert charges(world) == ["charged"]

    # WHEN a step meets it
    with pytest.raises(payments.PaymentRefused, match="voided") if late == "charge_payment" else nullcontext():
        world.step(late, order_id)

    # THEN it is taken back
    assert charges(world) == ["canceled"]


def test_a_refund_names_the_charge(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway forgets keys after a day; what it charged, never."""
    shop.stock(world, 5)
    order_id = shop.order(world)
    for step in FORWARD:
        world.step(step, order_id)
    world.call("POST /api/orders/{orderId}/cancel", roles=["operator"], path={"orderId": order_id})
    watched = Mock()
    monkeypatch.setattr(payments, "gateway", lambda: watched)

    world.step("refund_payment", order_id)

    (charge,) = world.items("SandboxChargesTable")
    assert watched.cancel.call_args.args[1] == charge["reference"]


def test_a_free_order_asks_no_gateway(world: World) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world, shop.line(cents=0))
    for step in FORWARD:
        world.step(step, order_id)
    world.call("POST /api/orders/{orderId}/cancel", roles=["operator"], path={"orderId": order_id})
    for step in ("fail_order", *UNDO):
        world.step(step, order_id)

    assert charges(world) == []
