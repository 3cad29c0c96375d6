"""Reservations over a DynamoDB that counts a transaction's actions."""

import pytest

from tests import shop
from tests.world import World
from tillflow.contexts.stock import reservations, rules, store, tables
from tillflow.messaging.envelope import Cause
from tillflow.storage.attributes import to_item
from tillflow.values import ids

CAUSE = Cause("user-1", ("buyer",), ids.new())


def levels_in(world: World, warehouses: int) -> None:
    """Put one unit on the shelf of so many warehouses, without their movements."""
    variant_id = shop.variant(world)
    for number in range(warehouses):
        world.put("StockTable", to_item(tables.level_key(variant_id, str(number)) | {"available": 1}))


@pytest.mark.parametrize("is_sold", [False, True], ids=["held", "sold"])
def test_the_largest_reservation_can_be_given_back(world: World, *, is_sold: bool) -> None:
    levels_in(world, rules.MOST_LINES)
    order_id = ids.new()

    reservations.reserve(order_id, {"SKU-1": rules.MOST_LINES}, CAUSE)
    assert shop.level(world)[2] == 0
    if is_sold:
        reservations.commit_sale(order_id, CAUSE)
    reservations.give_back(order_id, "ORDER_CANCELED", CAUSE)

    assert shop.level(world)[2] == rules.MOST_LINES
    assert reservations.standing_of(order_id)[0] == (rules.RETURNED if is_sold else rules.RELEASED)


def test_an_order_that_is_named_twice_is_looked_up_once(world: World) -> None:
    """The index of unsettled orders may show one on two of its pages."""
    levels_in(world, 1)
    order_id = ids.new()
    reservations.reserve(order_id, {"SKU-1": 1}, CAUSE)
    event_id = reservations.reservation_id_of(order_id)

    assert len(list(store.find_events([event_id, event_id]))) == 1
