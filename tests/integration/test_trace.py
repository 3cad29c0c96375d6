"""`make trace` tells an order's whole story."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.platform.stack import Stack
from local.wait import until
from local.watch import page, tell
from tests.integration.behind import Behind
from tests.integration.scene import Scene, line

# Who speaks of an order that is confirmed and then canceled.
EVERYBODY = {
    "CreateOrder",
    "PublishEvents",
    "RouteEvents",
    "ReserveStock",
    "ChargePayment",
    "CompleteOrder",
    "CancelOrder",
    "FailOrder",
    "RefundPayment",
    "ReleaseStock",
    "OrderSaga 1",
    "OrderSaga 2",
    "event",
}


def test_the_story_of_an_order_is_told_by_everybody_who_had_a_part_in_it_in_the_order_of_time(
    stack: Stack, scene: Scene, behind: Behind, capsys: pytest.CaptureFixture[str]
) -> None:
    order = scene.order(line(scene.plenty))
    behind.settle(order.order_id)
    scene.cancel(order)
    behind.settle(order.order_id, runs=2)

    def told() -> Sequence[tell.Moment] | None:
        moments = tell.of_order(stack, order.order_id).moments
        return moments if {moment.where for moment in moments} >= EVERYBODY else None

    story = until(told, seconds=60, what="everybody to have spoken")

    assert [moment.at for moment in story] == sorted(moment.at for moment in story)
    told_by = ("event", "OrderSaga 1", "OrderSaga 2")
    whats = [moment.what.partition(" (")[0] for moment in story if moment.where in told_by]
    for earlier, later in (
        ("OrderCreated", "→ ReserveStock"),
        ("InventoryReserved", "PaymentSucceeded"),
        ("→ CompleteOrder", "orders.order_canceled.v1"),
        ("→ RefundPayment", "InventoryReleased"),
    ):
        assert whats.index(earlier) < whats.index(later), whats

    assert any(moment.what.startswith("InventoryReleased (") and "ORDER_CANCELED" in moment.what for moment in story)

    tell.run(stack, order.order_id)

    assert f"trace  {order.trace_id}" in capsys.readouterr().out


def visited(text: str) -> list[tuple[str, str]]:
    """Return the states that a page has marked, drawing by drawing, and how."""
    marked = re.findall(r'<g class="(\w+)" [^>]*data-state="(\w+)"', text)
    return [(state, mark) for mark, state in marked if mark != "none"]


def test_the_page_of_a_confirmed_order_marks_the_states_that_it_visited(
    stack: Stack, scene: Scene, behind: Behind, tmp_path: Path
) -> None:
    order = scene.order(line(scene.plenty))
    behind.settle(order.order_id)

    path = page.write(stack, order.order_id, tmp_path / "orders")

    assert path == tmp_path / "orders" / f"{order.order_id}.html"
    assert path.stat().st_mode & 0o777 == 0o600
    assert visited(path.read_text()) == [("ReserveStock", "done"), ("ChargePayment", "done"), ("CompleteOrder", "done")]


def test_the_page_of_a_failed_order_marks_the_step_that_failed_and_those_that_undid_it(
    stack: Stack, scene: Scene, behind: Behind, tmp_path: Path
) -> None:
    order = scene.order(line(scene.plenty), card="tok_declined")
    behind.settle(order.order_id)

    text = page.write(stack, order.order_id, tmp_path).read_text()

    assert visited(text) == [
        ("ReserveStock", "done"),
        ("ChargePayment", "failed"),
        ("FailOrder", "done"),
        ("AnythingToUndo", "done"),
        ("RefundPayment", "done"),
        ("ReleaseStock", "done"),
    ]
    assert "card_declined" in text
    assert "tok_declined" not in text
