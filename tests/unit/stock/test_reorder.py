"""Reorder points: one event when what is available falls through the threshold, and none until it has risen above it."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests import shop
from tests.metering import metered
from tests.world import Answer, World
from tillflow.contexts.stock import store, tables
from tillflow.contexts.stock.rules import Level, ReservationRefused
from tillflow.runtime import aws
from tillflow.values import ids

POINT = "{} /api/v1/warehouses/{{id}}/levels/{{variantId}}/reorder-point"
LOW = "StockLevelLow"


def call(world: World, method: str, body: object = None, **parts: Any) -> Answer:
    path = {"id": shop.warehouse(world), "variantId": shop.variant(world)} | parts.pop("path", {})
    return world.call(POINT.format(method), path=path, body=body, **({"roles": ["manager"]} | parts))


def set_point(world: World, quantity: int) -> Any:
    answer = call(world, "PUT", {"quantity": quantity})
    assert answer.status == 200, answer
    return answer.json


def look(world: World) -> None:
    """Have the stream's records looked at, all of them from its beginning: again and again, that is."""
    world.watch_levels()


def move(world: World, quantity: int) -> int:
    """Move stock, have it looked at, and return how often the level has been told to be low."""
    kind = "INBOUND" if quantity > 0 else "OUTBOUND"
    assert shop.move(world, abs(quantity), kind=kind).status == 201
    look(world)
    return len(world.events(LOW))


def shown(world: World) -> tuple[Any, ...]:
    path = {"id": shop.variant(world)}
    (level,) = world.call("GET /api/v1/variants/{id}/levels", path=path, roles=["manager"]).json["items"]
    return tuple(level.get(name) for name in ("available", "reorderPoint", "low"))


@pytest.mark.parametrize("shards", [1, 4])
def test_a_fall_through_the_point_is_told_once_until_it_has_risen_above(world: World, shards: int) -> None:
    shop.variant(world, shards=shards)
    shop.stock(world, 10)
    set_point(world, 5)

    told = [move(world, quantity) for quantity in (-5, -1, -1, +2, -1, +2, -1, -1)]

    #               available:   5  4  3  5  4  6  5  4
    assert told == [0, 1, 1, 1, 1, 1, 1, 2]


def test_the_event_says_what_is_low_and_where(world: World) -> None:
    shop.stock(world, 5)
    set_point(world, 5)
    move(world, -2)

    (event,) = world.events(LOW)

    assert event["data"] == {
        "variant_id": shop.variant(world),
        "sku_id": "SKU-1",
        "warehouse_id": shop.warehouse(world),
        "available": 3,
        "reorder_point": 5,
    }
    assert (event["identity"], event["version"]) == ({"user_id": "stock", "roles": ["service"]}, 1)


@pytest.mark.parametrize("shards", [1, 4])
def test_a_sale_lowers_a_level_and_what_is_given_back_raises_it(world: World, shards: int) -> None:
    shop.variant(world, shards=shards)
    shop.stock(world, 5)
    set_point(world, 4)
    order = shop.order(world, shop.line(quantity=2))
    world.step("reserve_stock", order)
    look(world)
    low = shown(world)
    for step in ("fail_order", "refund_payment", "release_stock"):
        world.step(step, order)
    look(world)

    assert (low, shown(world)) == ((3, 4, True), (5, 4, False))
    assert len(world.events(LOW)) == 1


def test_a_threshold_above_what_there_is_is_no_fall(world: World) -> None:
    shop.stock(world, 3)

    answer = set_point(world, 5)
    look(world)

    expected = {"warehouseId": shop.warehouse(world), "variantId": shop.variant(world), "quantity": 5, "available": 3}
    assert answer == expected | {"low": True}
    assert (move(world, -1), move(world, +5), move(world, -3)) == (0, 0, 1)


@pytest.mark.parametrize("shards", [1, 4])
def test_a_level_without_a_threshold_is_never_low(world: World, shards: int) -> None:
    shop.variant(world, shards=shards)
    shop.stock(world, 5)
    assert (shown(world), move(world, -5)) == ((5, None, None), 0)
    shop.move(world, 5)
    set_point(world, 5)
    move(world, -1)

    answer = call(world, "DELETE")
    again = call(world, "DELETE")

    assert [(each.status, each.json["quantity"], each.json["low"]) for each in (answer, again)] == [(200, None, False)] * 2
    assert (shown(world), move(world, -4)) == ((4, None, None), 1)


def test_a_fall_costs_one_write_unit_and_looking_again_none(world: World) -> None:
    shop.stock(world, 5)
    set_point(world, 5)
    assert shop.move(world, 1, kind="OUTBOUND").status == 201

    with metered() as first:
        look(world)
    with metered() as again:
        look(world)

    assert (first.total, again.total) == (1, 0)


def test_shards_that_come_later_are_looked_at_too(world: World) -> None:
    shop.stock(world, 12)
    set_point(world, 4)
    shop.reshard("SKU-1", 4)
    look(world)

    points = {item.get("reorder_point") for item in world.items("StockTable") if tables.is_level(item)}

    assert (points, shown(world)) == ({4}, (12, 4, False))
    assert [move(world, quantity) for quantity in (-8, -1, +9)] == [0, 1, 1]
    call(world, "DELETE")
    assert not [item for item in world.items("StockTable") if "reorder_point" in item]


@pytest.mark.parametrize("watched", [True, False])
def test_a_shard_that_a_delivery_brings_into_being_is_watched_at_once_and_costs_no_more(world: World, *, watched: bool) -> None:
    shop.stock(world, 1)
    if watched:
        set_point(world, 3)
    shop.reshard("SKU-1", 4)

    with metered() as meter:
        assert shop.move(world, 3, headers={"Idempotency-Key": "k"}).status == 201

    levels = [item for item in world.items("StockTable") if tables.is_level(item)]
    assert [each["available"] for each in levels] == [1, 1, 1, 1], "the first shard has changed"
    assert [each.get("reorder_point") for each in levels] == [3 if watched else None] * 4
    # The line is in three shards.
    assert meter.total == 2 * 3 + 6


def test_what_it_brings_there_is_seen_to_be_enough(world: World) -> None:
    shop.stock(world, 1)
    set_point(world, 3)
    shop.reshard("SKU-1", 4)
    before = len(world.stream())
    shop.move(world, 3)

    watched = [each for each in world.stream()[before:] if "reorder_point" in each["dynamodb"].get("NewImage", {})]
    world.invoke("stock/follow_ledger", {"Records": watched})

    assert shown(world) == (4, 3, False)


def test_a_first_shard_that_has_not_risen_alone_shows_that_all_have_together(world: World) -> None:
    shop.variant(world, shards=2)
    shop.stock(world, 10)
    set_point(world, 4)
    assert move(world, -7) == 1
    assert shop.move(world, 5).status == 201

    of_first = [each for each in world.stream() if each["dynamodb"]["Keys"]["pk"]["S"] == f"VARIANT#{shop.variant(world)}"]
    world.invoke("stock/follow_ledger", {"Records": of_first[-1:]})

    assert of_first[-1]["dynamodb"]["NewImage"]["available"] == {"N": "4"}
    assert shown(world) == (8, 4, False)


def test_units_on_their_way_between_shards_are_no_fall(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.variant(world, shards=2)
    shop.stock(world, 8)
    set_point(world, 6)
    shop.move(world, 1, kind="OUTBOUND")
    find, shifts = store.find_levels, [True]

    def torn(places: Iterable[store.Place], **how: Any) -> Iterator[Level]:
        """Read one shard before units are shifted into it, and the other after they have left there."""
        before = list(find(places, **how))
        if shifts and len(before) == 2 and shifts.pop():
            shop.reshard("SKU-1", 1)
            after = {level.shard: level for level in find([(each.variant_id, each.warehouse_id, each.shard) for each in before])}
            return iter([before[0] if before[0].shard == 0 else before[1], after[1]])
        return iter(before)

    monkeypatch.setattr(store, "find_levels", torn)
    look(world)

    assert not shifts, "nothing was shifted meanwhile"
    assert (len(world.events(LOW)), shown(world)) == (0, (7, 6, False))


def test_a_dip_that_is_made_good_before_anybody_looks_is_none(world: World) -> None:
    shop.stock(world, 5)
    set_point(world, 5)
    shop.move(world, 3, kind="OUTBOUND")

    assert move(world, +3) == 0


def test_whoever_sets_it_is_not_fooled_by_a_sale_in_between(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stock(world, 5)
    client, sales = aws.client("dynamodb"), [2]
    update = client.update_item

    def interrupted(**request: Any) -> Any:
        if sales:
            assert shop.move(world, sales.pop(), kind="OUTBOUND").status == 201
        return update(**request)

    monkeypatch.setattr(client, "update_item", interrupted)

    assert set_point(world, 4)["low"] is True
    assert shown(world) == (3, 4, True)


def test_what_is_changed_meanwhile_is_looked_at_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stock(world, 5)
    set_point(world, 5)
    client, deliveries = aws.client("dynamodb"), [9]
    update = client.update_item

    def interrupted(**request: Any) -> Any:
        if deliveries:
            assert shop.move(world, deliveries.pop()).status == 201
        return update(**request)

    monkeypatch.setattr(client, "update_item", interrupted)

    assert (move(world, -1), move(world, -9)) == (0, 1)


def test_a_warehouse_that_has_never_had_it_has_no_level(world: World) -> None:
    for method, body in (("PUT", {"quantity": 5}), ("DELETE", None)):
        answer = call(world, method, body)
        assert (answer.status, answer.json["detail"]) == (404, "stock-level-not-found")
        answer = call(world, method, body, path={"id": ids.new()})
        assert (answer.status, answer.json["detail"]) == (404, "stock-warehouse-not-found")


def test_a_seller_sets_it_where_they_are_named(world: World) -> None:
    shop.warehouse(world, sellers=("seller-1",))
    shop.stock(world, 5)

    answers = [call(world, "PUT", {"quantity": 3}, user=user, roles=["seller"]) for user in ("seller-1", "seller-2")]

    assert [each.status for each in answers] == [200, 404]


@pytest.mark.parametrize(
    "body", [{}, {"quantity": 0}, {"quantity": -1}, {"quantity": 1.5}, {"quantity": "5"}, {"point": 5}], ids=str
)
def test_a_threshold_that_makes_no_sense_is_refused_with_400(world: World, body: object) -> None:
    shop.stock(world, 5)

    assert (call(world, "PUT", body).status, shown(world)) == (400, (5, None, None))


def test_what_is_low_is_sold_all_the_same(world: World) -> None:
    shop.stock(world, 2)
    set_point(world, 2)
    for _ in range(2):
        world.step("reserve_stock", shop.order(world))
        look(world)

    with pytest.raises(ReservationRefused, match="OUT_OF_STOCK"):
        world.step("reserve_stock", shop.order(world))
    assert len(world.events(LOW)) == 1
