"""`make trace` tells an order's whole story."""

import pytest

from local.platform.stack import Stack
from local.wait import until
from local.watch import tell
from tests.integration.behind import Behind
from tests.integration.scene import Scene, line

# Who speaks of an order that is confirmed and then canceled.
EVERYBODY = {
    "CreateOrder",
    "PublishEvents",
    "RecordEvents",
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

    def told() -> list[tell.Moment] | None:
        moments = tell.story(stack, order.order_id, tell.find(stack, order.order_id))
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
