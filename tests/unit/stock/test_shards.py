"""A variant whose units are counted in shards: what that costs, what nobody notices, and what takes a moment."""

import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import pytest

from tests import shop
from tests.world import Context, World
from tillflow.contexts.stock import placement, reservations, rules, shards, shifting, store, tables
from tillflow.contexts.stock.rules import Line, ReservationRefused
from tillflow.errors import Unavailable
from tillflow.runtime import aws, deadline
from tillflow.storage.again import Moved
from tillflow.values import clock, ids, jsontext


@contextmanager
def calls() -> Iterator[list[str]]:
    """Let the list fill with the calls of DynamoDB, each with how many items it writes, or reads by key."""
    made: list[str] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        items = params.get("TransactItems") or [key for keys in params.get("RequestItems", {}).values() for key in keys["Keys"]]
        made.append(f"{model.name} {len(items)}" if items else model.name)

    hooks = aws.client("dynamodb").meta.events
    hooks.register("provide-client-params.*.*", note)
    try:
        yield made
    finally:
        hooks.unregister("provide-client-params.*.*", note)


@pytest.fixture
def _always_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the last shard each time."""
    monkeypatch.setattr(random, "randrange", lambda end: end - 1)


def reserve(quantity: int, sku: str = "SKU-1") -> str:
    deadline.start(Context(milliseconds=86_400_000))
    order_id = ids.new()
    reservations.reserve(order_id, {sku: quantity}, shop.CAUSE)
    return order_id


def stock(world: World, units: int, *, sharded: int, code: str = shop.WAREHOUSE) -> str:
    """Put units on the shelf, counted in so many shards, and return the variant's id."""
    variant_id = shop.variant(world, shards=sharded)
    shop.stock(world, units, code=code)
    return variant_id


def levels_of(world: World) -> dict[int, int]:
    """Return what is available by shard."""
    return {tables.place_of(item)[2]: item["available"] for item in world.items("StockTable") if tables.is_level(item)}


# --- what it costs


def test_a_variant_without_shards_is_read_and_written_as_if_there_were_none(world: World) -> None:
    stock(world, 10, sharded=1)

    with calls() as made:
        order_id = reserve(1)
    with calls() as undone:
        reservations.give_back(order_id, "undone", shop.CAUSE)

    assert made == ["Query", "TransactWriteItems 2"]
    assert undone == ["GetItem", "TransactWriteItems 2"]
    items = {item["sk"]: item for item in world.items("StockTable")}
    columns = jsontext.loads(zlib.decompress(items["EVENT"]["lines"]))
    assert len(columns) == len(fields(Line)) - 2, "neither the variant, which follows from the SKU, nor a shard"
    assert not items["VARIANT"].keys() & {"shards", "shards_ever", "shifts"}


@pytest.mark.usefixtures("_always_the_last")
def test_an_order_that_one_shard_serves_costs_no_more_than_without_shards(world: World) -> None:
    stock(world, 10, sharded=4)

    with calls() as at_first:
        reserve(1)
    with calls() as from_then_on:
        reserve(1)

    assert at_first == ["Query", "Query", "TransactWriteItems 2"]  # The variant is read, and kept for some seconds.
    assert from_then_on == ["Query", "TransactWriteItems 2"]


@pytest.mark.usefixtures("_always_the_last")
def test_a_refusal_has_looked_at_every_shard_and_at_the_variant_again(world: World) -> None:
    stock(world, 4, sharded=4)
    reserve(1)

    with calls() as made, pytest.raises(ReservationRefused):
        reserve(9)

    assert made == ["Query", "Query", "BatchGetItem 3", "BatchGetItem 1", "PutItem"]


# --- what nobody notices


def test_what_comes_in_is_spread_evenly_and_told_as_one(world: World) -> None:
    shop.variant(world, shards=4)

    event = shop.move(world, 10).json
    shop.move(world, 3)

    assert [line["quantity"] for line in event["lines"]] == [10]
    assert sorted(levels_of(world).values()) == [3, 3, 3, 4]
    assert shop.level(world) == (13, 0, 13)


def test_what_goes_out_is_taken_from_where_it_is(world: World) -> None:
    stock(world, 8, sharded=4)

    assert shop.move(world, 7, kind="OUTBOUND").json["lines"][0]["quantity"] == -7
    refused = shop.move(world, -2, kind="ADJUST")

    assert refused.json["error_code"] == "INSUFFICIENT_STOCK"
    assert refused.json["message"] == "2 units of SKU-1 are to go, 1 are available."
    assert shop.level(world) == (1, 0, 1)


def test_what_a_movement_takes_is_gathered_where_there_is_no_room_for_its_shards(world: World) -> None:
    variant_id = stock(world, 6, sharded=3)
    (variant,) = store.find_variants([variant_id])
    line = rules.Line(variant_id, "SKU-1", ids.derived("warehouse", shop.WAREHOUSE), -5)

    with pytest.raises(Moved):
        placement.spread([line], [variant], shop.CAUSE, lambda *_: AssertionError(), room=1)
    (variant,) = store.find_variants([variant_id])
    ((taken, *_),) = placement.spread([line], [variant], shop.CAUSE, lambda *_: AssertionError(), room=1)

    assert taken.quantity == -5


def test_a_shard_that_is_no_longer_used_is_emptied_and_what_comes_back_to_it_is_found(world: World) -> None:
    stock(world, 8, sharded=4)
    order_id = reserve(8)

    shop.reshard("SKU-1", 2)
    reservations.give_back(order_id, "undone", shop.CAUSE)
    assert sorted(levels_of(world).values()) == [2, 2, 2, 2]
    reserve(7)
    shop.reshard("SKU-1", 1)

    assert levels_of(world) == {0: 1, 1: 0, 2: 0, 3: 0}


def test_units_of_one_order_come_from_one_warehouse_though_a_shard_has_too_few(world: World) -> None:
    stock(world, 8, sharded=4, code="WH-1")
    shop.stock(world, 3, code="WH-2")

    order_id = reserve(7)

    (held,) = store.find_events([reservations.reservation_id_of(order_id)])
    assert {line.warehouse_id for line in store.lines_of(held)} == {ids.derived("warehouse", "WH-1")}


def test_shards_that_are_even_already_are_left_alone(world: World) -> None:
    variant_id = stock(world, 9, sharded=4)
    before = world.items("StockTable")

    shifting.even_out(variant_id, ids.derived("warehouse", shop.WAREHOUSE), shop.CAUSE)

    assert world.items("StockTable") == before


def test_a_change_that_has_no_time_left_is_answered_so_and_the_next_one_goes_on(world: World) -> None:
    variant = {"id": stock(world, 8, sharded=4)}
    deadline.start(Context(milliseconds=1_000))
    with pytest.raises(Unavailable, match="Send the same request again"):
        shop.reshard("SKU-1", 2)
    assert sorted(levels_of(world).values()) == [2, 2, 2, 2]

    told = world.call("PATCH /api/v1/variants/{id}", roles=["manager"], path=variant, body={"name": "Lamp"})

    assert (told.status, told.json["shards"]) == (200, 2)
    assert sorted(levels_of(world).values()) == [0, 0, 4, 4]


@pytest.mark.parametrize("number", [0, 257, "4", 1.5])
def test_a_variant_has_1_to_256_shards(world: World, number: object) -> None:
    body = {"sku": "A", "name": "A", "shards": number}

    assert world.call("POST /api/v1/variants", roles=["manager"], body=body).status == 400


# --- what takes a moment


@pytest.mark.usefixtures("_always_the_last")
def test_a_deactivation_takes_hold_when_what_is_kept_is_too_old(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    variant_id = stock(world, 8, sharded=4)
    reserve(1)
    _set_active(variant_id, active=False)

    reserve(1)
    later = clock.monotonic() + shards.KEPT_SECONDS + 1
    monkeypatch.setattr(clock, "monotonic", lambda: later)

    with pytest.raises(ReservationRefused, match=rules.VARIANT_INACTIVE):
        reserve(1)


def test_an_activation_takes_hold_at_once(world: World) -> None:
    variant_id = stock(world, 8, sharded=4)
    _set_active(variant_id, active=False)
    with pytest.raises(ReservationRefused):
        reserve(1)

    _set_active(variant_id, active=True)

    assert reserve(1)


def _set_active(variant_id: str, *, active: bool) -> None:
    aws.client("dynamodb").update_item(
        TableName="StockTable",
        Key={name: {"S": value} for name, value in tables.variant_key(variant_id).items()},
        UpdateExpression="SET active = :active",
        ExpressionAttributeValues={":active": {"BOOL": active}},
    )


def test_units_that_are_scattered_over_many_variants_shards_leave_in_one_request(world: World) -> None:
    """What is too many lines for a commit is gathered at once, not a variant each time it is decided anew."""
    skus = [f"SKU-{number}" for number in range(25)]
    variants = [shop.variant(world, sku, shards=8) for sku in skus]
    for sku in skus:
        shop.stock(world, 16, sku)
    lines = [{"variantId": variant, "quantity": 16} for variant in variants]
    body = {"type": "OUTBOUND", "warehouseId": shop.warehouse(world), "lines": lines}

    assert world.call("POST /api/v1/stock-events", roles=["manager"], body=body).status == 201
