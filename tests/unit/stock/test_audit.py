"""The audit of stock: what is right is proven beside whatever goes on, what is wrong is told, corrected, and then right."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from tests import shop
from tests.metering import metered
from tests.world import Context, World
from tillflow.contexts.stock import audit, reservations, store, tables
from tillflow.errors import Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, deadline
from tillflow.storage.attributes import to_item
from tillflow.values import clock, ids

LIST = "GET /api/v1/stock-events"
FUNCTION = "stock/audit_stock"
EVERYTHING = {"everything": True}

type Json = dict[str, Any]


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sleep no time, and say how long."""
    taken: list[float] = []
    monkeypatch.setattr(clock, "sleep", taken.append)
    return taken


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Let it be so much later."""
    now, ahead = clock.now, [timedelta()]

    def passing(more: timedelta) -> None:
        ahead[0] += more

    monkeypatch.setattr(clock, "now", lambda: now() + ahead[0])
    return passing


def run(world: World, milliseconds: int = 900_000, **wanted: Any) -> Json:
    return dict(world.invoke(FUNCTION, wanted, Context(milliseconds)))


def everything(world: World, **wanted: Any) -> Json:
    return run(world, everything=True, **wanted)


def busy_day(world: World) -> None:
    """Everything that can happen to a level, in two warehouses and in shards."""
    shop.stock(world, 100)
    shop.stock(world, 5, "SKU-2")
    shop.stock(world, 40, code="WH-2")
    shop.move(world, 3, kind="OUTBOUND", body={"occurredAt": "2025-02-10T08:00:00Z"})
    lines = [{"variantId": shop.variant(world), "quantity": 4}]
    body = {"fromWarehouseId": shop.warehouse(world), "toWarehouseId": shop.warehouse(world, "WH-2"), "lines": lines}
    assert world.call("POST /api/v1/stock-transfers", roles=["manager"], body=body).status == 201
    shop.reshard("SKU-1", 3)
    # The first takes from both warehouses.
    for last, units in (("reserved", 110), ("sold", 5), ("released", 5), ("returned", 5)):
        order_id = shop.order(world, shop.line(quantity=units), shop.line("SKU-2"))
        world.step("reserve_stock", order_id)
        if last in ("sold", "returned"):
            reservations.commit_sale(order_id, shop.CAUSE)
        if last in ("released", "returned"):
            world.project()
            reservations.give_back(order_id, "undone", shop.CAUSE)
    shop.reshard("SKU-1", 2)
    shop.stock(world, 10)


def level_of(world: World, sku: str = "SKU-1", code: str = shop.WAREHOUSE) -> Json:
    key = tables.level_key(ids.derived("variant", sku), ids.derived("warehouse", code))
    (level,) = [item for item in world.items("StockTable") if key.items() <= item.items()]
    return level


def put(world: World, item: Json, **change: Any) -> None:
    world.put("StockTable", to_item(item | change))


def take_away(item: Json) -> None:
    aws.client("dynamodb").delete_item(TableName="StockTable", Key=to_item({"pk": item["pk"], "sk": item["sk"]}))


def event_of(world: World, event_id: str) -> Json:
    (event,) = [item for item in world.items("StockTable") if item["pk"] == f"EVENT#{event_id}"]
    return event


def project_all_but(world: World, event_id: str) -> None:
    """Project what was recorded since; the entries of what is lost stay as they are."""
    stream = world.stream
    records = [each for each in stream() if each["dynamodb"]["Keys"]["pk"]["S"] != f"EVENT#{event_id}"]
    with patch.object(World, "stream", lambda _: records):
        world.project()


def numbers(found: Json) -> list[tuple[int, int]]:
    return [(each["units"], each["events"]) for each in found["differences"]]


# --- what is right --------------------------------------------------------------------------------------------------


def test_of_a_quiet_shop_every_level_is_proven(world: World, slept: list[float]) -> None:
    busy_day(world)
    world.project()

    found = everything(world)

    assert (found["found"], found["unproven"], found["proven"], found["finished"]) == (0, [], 3, True)
    assert slept == []


def test_of_a_shop_that_has_nothing_nothing_is_told(world: World) -> None:
    assert (everything(world)["found"], run(world)["lookedAt"]) == (0, 0)


def test_what_is_not_listed_yet_is_not_called_wrong_and_is_proven_then(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    busy_day(world)
    for code, sku in ((shop.WAREHOUSE, "SKU-2"), ("WH-2", "SKU-1")):
        shop.stock(world, 1, sku, code)

    found = everything(world)
    assert (found["found"], len(found["unproven"])) == (0, 3)

    monkeypatch.setattr(clock, "sleep", lambda _: world.project())
    found = everything(world)
    assert (found["found"], found["proven"], found["unproven"]) == (0, 3, [])


@pytest.mark.parametrize("meanwhile", ["reserve", "sell", "release", "return", "shift"])
def test_what_moves_between_two_reads_is_not_called_wrong(world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: str) -> None:
    busy_day(world)
    world.project()
    orders = [shop.order(world, shop.line(quantity=2)) for _ in range(8)]
    for order_id in orders[:4]:
        world.step("reserve_stock", order_id)
    for order_id in orders[:2]:
        reservations.commit_sale(order_id, shop.CAUSE)
    world.project()
    act: dict[str, Callable[[], object]] = {
        "reserve": lambda: reservations.reserve(orders[-1], {"SKU-1": 2}, shop.CAUSE),
        "sell": lambda: reservations.commit_sale(orders[3], shop.CAUSE),
        "release": lambda: reservations.give_back(orders[2], "undone", shop.CAUSE),
        "return": lambda: reservations.give_back(orders[0], "undone", shop.CAUSE),
        "shift": lambda: shop.reshard("SKU-1", 4),
    }
    find_levels, at = store.find_levels, iter([act[meanwhile]])

    def levels(places: Any, *, consistent: bool = True) -> Any:
        next(at, lambda: None)()
        return find_levels(places, consistent=consistent)

    monkeypatch.setattr(store, "find_levels", levels)
    monkeypatch.setattr(clock, "sleep", lambda _: world.project())

    found = everything(world)

    assert (found["found"], found["proven"], found["unproven"]) == (0, 3, [])


def test_an_audit_is_proven_by_the_next_from_its_checkpoint(world: World, pass_time: Callable[[timedelta], None]) -> None:
    busy_day(world)
    world.project()
    everything(world)
    for _ in range(2):
        pass_time(timedelta(hours=2))
        sold = shop.move(world, 1, kind="OUTBOUND")
        assert sold.status == 201
        world.project()
        assert (everything(world)["proven"], run(world)["proven"], everything(world, anew=True)["proven"]) == (3, 3, 3)


# --- what is wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [7, -1])
def test_a_level_that_somebody_has_changed_is_told_and_repaired(world: World, more: int) -> None:
    busy_day(world)
    world.project()
    everything(world)
    sound = level_of(world)
    put(world, sound, available=sound["available"] + more)

    found = everything(world)
    again = everything(world, repair=True)
    world.project()
    after = everything(world)

    assert numbers(found) == numbers(again) == [(more, 0)]
    (told,) = found["differences"]
    assert (told["sku"], told["shard"], told["available"], told["ledger"]) == (
        "SKU-1",
        0,
        sound["available"] + more,
        sound["available"],
    )
    assert told["provenAt"] is not None
    assert told["since"] is not None
    assert (again["repaired"], after["found"], after["unproven"]) == (1, 0, [])
    assert level_of(world)["available"] == sound["available"] + more
    query = {"type": "ADJUST", "reasonCode": "COUNT_CORRECTION"}
    (event,) = world.call(LIST, roles=["manager"], query=query).json["content"]
    assert event["lines"][0]["quantity"] == more
    assert again["auditId"] in event["notes"]
    assert event["id"] == again["differences"][0]["repairedBy"]


def test_a_shard_that_somebody_has_changed_is_told_by_its_number(world: World) -> None:
    busy_day(world)
    world.project()
    here = level_of(world)["sk"]
    (shard,) = [each for each in world.items("StockTable") if each["sk"] == here and each["pk"].endswith("#1")]
    put(world, shard, available=shard["available"] + 1)

    (told,) = everything(world, repair=True)["differences"]

    assert (told["shard"], told["units"]) == (1, 1)
    world.project()
    assert everything(world)["found"] == 0


def test_a_lost_event_is_told_and_its_units_are_entered_anew(world: World) -> None:
    shop.stock(world, 50)
    lost = shop.move(world, 8, kind="OUTBOUND").json["id"]
    world.project()
    take_away(event_of(world, lost))

    found = everything(world, repair=True)

    assert numbers(found) == [(-8, 1)]
    assert found["differences"][0]["lostEvents"] == [lost]
    project_all_but(world, lost)
    after = everything(world, anew=True)
    assert (found["repaired"], after["found"], after["unproven"]) == (1, 0, [])


def test_an_event_that_no_level_knows_of_is_told(world: World) -> None:
    shop.stock(world, 50)
    event = event_of(world, shop.move(world, 8).json["id"])
    put(world, event, pk=f"EVENT#{ids.new()}")
    world.project()

    found = everything(world, repair=True)

    assert numbers(found) == [(-8, -1)]
    world.project()
    assert everything(world)["found"] == 0
    assert level_of(world)["available"] == 58


def test_a_level_that_is_gone_is_told_and_there_again(world: World) -> None:
    shop.stock(world, 50)
    world.project()
    everything(world)
    level = level_of(world)
    take_away(level)

    found = everything(world, repair=True)

    assert numbers(found) == [(-50, -1)]
    world.project()
    assert everything(world)["found"] == 0
    assert level_of(world).items() >= {"available": 0, "listed": level["listed"], "listed_as": "SKU-1"}.items()
    shop.stock(world, 3)
    assert shop.level(world) == (3, 0, 3)


def test_fewer_than_no_units_become_none(world: World) -> None:
    shop.stock(world, 5)
    world.project()
    put(world, level_of(world), available=-2)

    assert everything(world, repair=True)["repaired"] == 1
    world.project()
    assert (everything(world)["found"], level_of(world)["available"]) == (0, 0)


def test_a_level_that_moves_while_it_is_corrected_is_left_for_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.stock(world, 5)
    world.project()
    put(world, level_of(world), available=9)
    find_warehouses = store.find_warehouses

    def warehouses(warehouse_ids: Any) -> Any:
        reservations.reserve(ids.new(), {"SKU-1": 1}, shop.CAUSE)
        return find_warehouses(warehouse_ids)

    monkeypatch.setattr(store, "find_warehouses", warehouses)
    found = everything(world, repair=True)

    assert (found["found"], found["repaired"], level_of(world)["available"]) == (1, 0, 8)
    assert [item for item in world.items("StockTable") if item.get("type") == "ADJUST"] == []


def test_units_that_an_order_holds_that_is_settled_are_told_when_they_stay(
    world: World, pass_time: Callable[[timedelta], None]
) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world, shop.line(quantity=2))
    world.step("reserve_stock", order_id)
    world.project()
    assert everything(world)["proven"] == 1
    (order,) = world.items("OrdersTable")
    world.put("OrdersTable", to_item({name: value for name, value in order.items() if name not in ("unsettled", "due_at")}))

    at_first = everything(world)
    pass_time(timedelta(minutes=59))
    soon = everything(world)
    pass_time(timedelta(minutes=2))
    found = run(world)

    assert (at_first["found"], len(at_first["unproven"]), soon["found"]) == (0, 1, 0)
    assert numbers(found) == [(-2, 1)]


def test_a_return_that_is_not_its_sale_s_is_told_until_it_is(world: World) -> None:
    shop.stock(world, 5)
    order_id = ids.new()
    reservations.reserve(order_id, {"SKU-1": 2}, shop.CAUSE)
    reservations.commit_sale(order_id, shop.CAUSE)
    world.project()
    reservations.give_back(order_id, "undone", shop.CAUSE)
    world.project()
    assert run(world)["returns"] == []
    came_back = event_of(world, reservations.return_id_of(order_id))
    take_away(came_back)

    assert run(world)["returns"] == run(world)["returns"] == [{"orderId": order_id, "reason": "its units never came back"}]

    put(world, came_back)
    assert run(world)["returns"] == []


# --- how much at once -----------------------------------------------------------------------------------------------


def sell(number: int) -> None:
    for _ in range(number):
        order_id = ids.new()
        cause = Cause("user-1", ("buyer",), ids.new())
        reservations.reserve(order_id, {"SKU-1": 1}, cause)
        reservations.commit_sale(order_id, cause)


@pytest.mark.parametrize("history", [10, 150])
def test_a_run_costs_what_has_changed_whatever_was_before(
    world: World, pass_time: Callable[[timedelta], None], history: int
) -> None:
    shop.stock(world, 1000)
    sell(history)
    world.project()
    pass_time(timedelta(hours=2))
    run(world)
    with metered() as quiet:
        assert run(world)["proven"] == 1
    sell(20)
    world.project()

    with metered() as busy:
        assert run(world)["proven"] == 1

    assert quiet.read <= 20
    # Each sale is read to see which level it moved, and to count it.
    assert busy.read - quiet.read <= 2 * 20 * 0.5 + 2
    assert (quiet.total, busy.total) == (2, 2)


def test_of_the_rest_a_run_looks_at_a_slice_and_the_next_at_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for code, sku in (("WH-1", "A"), ("WH-1", "B"), ("WH-2", "A"), ("WH-2", "C"), ("WH-3", "A")):
        shop.stock(world, 1, sku, code)
    world.project()
    monkeypatch.setattr(audit, "SETTLED_AFTER", timedelta(seconds=-60))
    assert run(world)["lookedAt"] == 5
    monkeypatch.setattr(audit, "QUIET_LEVELS", 2)
    seen: list[int] = []
    broken = level_of(world, "C", "WH-2")
    put(world, broken, available=2)

    seen = [run(world)["found"] for _ in range(3)]

    assert seen == [0, 1, 1], "it was told by the run that came to it, and by the one after that"


def test_an_audit_that_runs_out_of_time_goes_on_where_it_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        shop.stock(world, 1, f"SKU-{number}")
    world.project()
    monkeypatch.setattr(audit, "SETTLED_AFTER", timedelta(seconds=-60))
    run(world)
    monkeypatch.setattr(audit, "_AT_ONCE", 2)
    left = iter([900, 900, 0])
    monkeypatch.setattr(deadline, "remaining", lambda: next(left, 900))

    first = everything(world)
    second = everything(world, place=first["place"])

    assert (first["finished"], first["lookedAt"]) == (False, 4)
    assert (second["finished"], second["lookedAt"], second["place"]) == (True, 1, None)


def test_a_scheduled_audit_that_runs_out_of_time_fails_so_that_it_is_run_again(world: World) -> None:
    shop.stock(world, 1)
    world.project()

    with pytest.raises(Unavailable, match="goes on"):
        run(world, milliseconds=30_000)

    assert run(world)["proven"] == 1
