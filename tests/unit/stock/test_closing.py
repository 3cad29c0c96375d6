"""A closed warehouse: nothing comes in, nothing is sold from it, and what open reservations hold of it is honoured."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import shop
from tests.world import Answer, World
from tillflow.contexts.stock import closing, masters
from tillflow.contexts.stock.rules import ReservationRefused
from tillflow.errors import Unavailable
from tillflow.runtime import aws
from tillflow.storage import database

WAREHOUSE = "PATCH /api/v1/warehouses/{id}"


def switch(world: World, code: str = shop.WAREHOUSE, **fields: bool) -> Answer:
    return world.call(WAREHOUSE, path={"id": shop.warehouse(world, code)}, body=fields, roles=["manager"])


def close(world: World, code: str = shop.WAREHOUSE) -> None:
    assert switch(world, code, active=False).status == 200


def reserve(world: World, quantity: int = 1) -> str:
    order = shop.order(world, shop.line(quantity=quantity))
    world.step("reserve_stock", order)
    return order


def stored(world: World) -> list[dict[str, Any]]:
    return [item for item in world.items("StockTable") if item["sk"].startswith("LEVEL#")]


def before(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]) -> None:
    """Let *act* happen once, just before the next call of DynamoDB's operation *name*."""
    client, acts = aws.client("dynamodb"), [act]
    operation = getattr(client, name)

    def interrupted(**request: Any) -> Any:
        if acts:
            acts.pop()()
        return operation(**request)

    monkeypatch.setattr(client, name, interrupted)


def test_orders_are_served_from_open_warehouses_only(world: World) -> None:
    shop.stock(world, 5, code="A")
    shop.stock(world, 1, code="B")
    close(world, "A")

    reserve(world)

    assert shop.levels(world) == {shop.warehouse(world, "A"): (5, 0, 5), shop.warehouse(world, "B"): (1, 1, 0)}
    with pytest.raises(ReservationRefused, match="OUT_OF_STOCK"):
        reserve(world)


def test_a_warehouse_that_is_opened_again_sells_again(world: World) -> None:
    shop.stock(world, 5)
    close(world)
    switch(world, active=True)

    reserve(world)

    assert shop.level(world) == (5, 1, 4)


def test_what_was_reserved_before_is_sold_or_given_back(world: World) -> None:
    shop.stock(world, 5)
    sold, released, returned = (reserve(world) for _ in range(3))
    for step in ("charge_payment", "complete_order"):
        world.step(step, returned)
    close(world)

    for step in ("charge_payment", "complete_order"):
        world.step(step, sold)
    for step in ("fail_order", "refund_payment", "release_stock"):
        world.step(step, released)
    world.call("POST /api/orders/{orderId}/cancel", path={"orderId": returned}, body={"reason": "r"}, roles=["operator"])
    for step in ("fail_order", "refund_payment", "release_stock"):
        world.step(step, returned)

    assert shop.level(world) == (4, 0, 4)
    with pytest.raises(ReservationRefused, match="OUT_OF_STOCK"):
        reserve(world)


def test_an_order_that_was_being_reserved_meanwhile_finds_it_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stock(world, 5)
    order = shop.order(world)
    before(monkeypatch, "transact_write_items", lambda: close(world))

    with pytest.raises(ReservationRefused, match="OUT_OF_STOCK"):
        world.step("reserve_stock", order)


def test_a_level_that_comes_into_being_meanwhile_is_closed_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.warehouse(world)
    shop.variant(world)
    before(monkeypatch, "transact_write_items", lambda: close(world))

    assert shop.move(world, 5).status == 201

    with pytest.raises(ReservationRefused, match="OUT_OF_STOCK"):
        reserve(world)


@pytest.mark.parametrize("listed", [False, True])
def test_a_new_level_is_closed_at_once_whether_it_is_listed_by_then_or_not(world: World, *, listed: bool) -> None:
    shop.stock(world, 5)
    if listed:
        world.project()

    close(world)

    with pytest.raises(ReservationRefused, match="OUT_OF_STOCK"):
        reserve(world)


@pytest.mark.parametrize("shards", [1, 3])
def test_whoever_brings_it_may_die_then_and_it_is_closed_when_it_is_listed(
    world: World, monkeypatch: pytest.MonkeyPatch, shards: int
) -> None:
    shop.warehouse(world)
    shop.variant(world, shards=shards)
    before(monkeypatch, "transact_write_items", lambda: close(world))
    with monkeypatch.context() as dead:
        dead.setattr(closing, "follow", lambda *_: None)
        assert shop.move(world, 5).status == 201

    world.project()

    with pytest.raises(ReservationRefused, match="OUT_OF_STOCK"):
        reserve(world)


def test_so_is_one_that_a_transfer_brings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stock(world, 5, code="A")
    ends = {"fromWarehouseId": shop.warehouse(world, "A"), "toWarehouseId": shop.warehouse(world, "B")}
    lines = [{"variantId": shop.variant(world), "quantity": 5}]
    before(monkeypatch, "transact_write_items", lambda: close(world, "B"))

    answer = world.call("POST /api/v1/stock-transfers", body={**ends, "lines": lines}, roles=["manager"])

    assert answer.status == 201
    with pytest.raises(ReservationRefused, match="OUT_OF_STOCK"):
        reserve(world)


def test_whoever_brought_it_in_hears_so_though_the_warehouse_cannot_be_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.variant(world)
    shop.warehouse(world)

    def broken(*_: object) -> None:
        raise Unavailable("not now")

    before(monkeypatch, "transact_write_items", lambda: monkeypatch.setattr(database, "get", broken))

    assert shop.move(world, 5).status == 201


def test_what_broke_off_is_done_when_the_change_is_sent_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        shop.stock(world, 5, f"SKU-{number}")
    monkeypatch.setattr(closing, "_AT_ONCE", 1)
    calls = iter(range(9))
    align = masters.align

    def breaking(*parts: Any) -> None:
        if next(calls) == 1:
            raise Unavailable("not now")
        align(*parts)

    monkeypatch.setattr(masters, "align", breaking)

    assert switch(world, active=False).status == 503
    assert ["closed" in level for level in stored(world)].count(True) == 1
    assert switch(world, active=False).status == 200

    assert all(level["closed"] for level in stored(world))
    (warehouse,) = [item for item in world.items("StockTable") if item["sk"] == "WAREHOUSE"]
    assert "levels_behind" not in warehouse
    assert next(calls) == 4, "what was done is not done again"


def test_of_two_changes_the_later_one_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stock(world, 5)
    before(monkeypatch, "batch_get_item", lambda: switch(world, active=True))

    close(world)

    assert [level.get("closed", False) for level in stored(world)] == [False]
    reserve(world)


def test_a_change_of_the_name_touches_no_level(world: World) -> None:
    shop.stock(world, 5)
    switch(world)
    path = {"id": shop.warehouse(world)}

    assert world.call(WAREHOUSE, path=path, body={"name": "Another"}, roles=["manager"]).status == 200

    assert ["warehouse_version" in level for level in stored(world)] == [False]
