"""What movements cost in DynamoDB's units: to record, to project, to list (issue budgets: docs/tables.md, docs/adr/0012)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests import shop
from tests.metering import metered
from tests.world import World
from tillflow.contexts.stock import homes, movements, reservations, tables
from tillflow.contexts.stock.entries import entries_of
from tillflow.contexts.stock.models import MAX_LINES, StockEventPageQuery
from tillflow.contexts.stock.movement import Movement, movements_of
from tillflow.messaging.envelope import Cause
from tillflow.storage import batch, database
from tillflow.values import ids
from tillflow.web.numbered import MAX_NUMBERED

type Json = dict[str, Any]


# --- what is recorded


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("lines", [1, 3, 10, MAX_LINES])
def test_a_stock_event_of_n_lines_costs_two_units_a_line_and_six_and_reads_its_variants_at_once(
    world: World, lines: int, *, fresh: bool
) -> None:
    skus = [f"A-SKU-AS-LONG-AS-THEY-ARE-{number:04}" for number in range(lines)]
    moved = [{"variantId": shop.variant(world, sku), "quantity": 1000 + number} for number, sku in enumerate(skus)]
    warehouse_id = shop.warehouse(world)
    body = {"type": "INBOUND", "warehouseId": warehouse_id, "reasonCode": "PURCHASE", "notes": "Restock", "lines": moved}
    if not fresh:
        world.call("POST /api/v1/stock-events", roles=["manager"], body=body)

    with metered() as meter:
        answer = world.call("POST /api/v1/stock-events", roles=["manager"], body=body, headers={"Idempotency-Key": "k"})

    assert answer.status == 201, answer
    assert meter.calls == ["get_item", "batch_get_item", "transact_write_items", "get_item"]
    assert meter.total <= 2 * lines + 6
    assert meter.read == 2 + lines


@pytest.mark.parametrize("lines", [1, 3, 10])
def test_a_transfer_of_n_lines_costs_two_stock_events_of_as_many(world: World, lines: int) -> None:
    moved = []
    for number in range(lines):
        shop.stock(world, 5, f"SKU-{number}", code="A")
        moved.append({"variantId": shop.variant(world, f"SKU-{number}"), "quantity": 2})
    body = {"fromWarehouseId": shop.warehouse(world, "A"), "toWarehouseId": shop.warehouse(world, "B"), "lines": moved}

    with metered() as meter:
        answer = world.call("POST /api/v1/stock-transfers", roles=["manager"], body=body, headers={"Idempotency-Key": "k"})

    assert answer.status == 201, answer
    assert meter.total <= 2 * (2 * lines + 6)


def test_new_levels_are_listed_afterwards_for_four_units_each_and_others_for_none(world: World) -> None:
    for number in range(2):
        shop.move(world, 5, f"SKU-{number}")
        world.project()
    body = {"warehouseId": shop.warehouse(world), "type": "INBOUND"}
    lines = [{"variantId": shop.variant(world, f"SKU-{number}"), "quantity": 1} for number in range(4)]
    assert world.call("POST /api/v1/stock-events", roles=["manager"], body={**body, "lines": lines}).status == 201

    units = []
    for _ in range(2):
        with metered() as meter:
            world.project()
        units.append(meter.units.get("StockTable", 0))

    # Each has found its variant a home, besides.
    assert units == [2 * (2 + 1 + 1), 0]


@pytest.mark.parametrize("at_home", [True, False])
@pytest.mark.parametrize("lines", [1, 3])
def test_a_sale_is_listed_for_two_units_and_one_a_line_and_one_more_beyond_its_homes(
    world: World, monkeypatch: pytest.MonkeyPatch, lines: int, *, at_home: bool
) -> None:
    monkeypatch.setattr(homes, "MOST", 1)
    demand = {f"SKU-{number}": 1 for number in range(lines)}
    for sku in demand:
        if not at_home:
            shop.stock(world, 5, sku, code="HOME")
            world.project()
            shop.move(world, 5, sku, kind="OUTBOUND", code="HOME")
        shop.stock(world, 5, sku)
    world.project()
    order_id = ids.new()
    cause = Cause("user-1", (), ids.new())
    reservations.reserve(order_id, demand, cause)
    reservations.commit_sale(order_id, cause)
    (record,) = [each for each in world.stream() if "posted_at" in each["dynamodb"]["NewImage"]]

    homes.forget()
    entries = 2 + lines * (1 if at_home else 2)

    with metered() as meter:
        for _ in range(2):
            world.invoke("stock/follow_ledger", {"Records": [record]})

    # What it has read once, a process knows.
    assert meter.calls == ["batch_get_item", "batch_write_item", "batch_write_item"]
    assert (meter.read, meter.total) == (lines / 2, 2 * entries)


# --- what is listed


def repeat(one: Movement, times: int) -> None:
    """Have a movement in the ledger and the list so many times more, each a minute after the other."""
    moments = [f"2026-01-{1 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}:00.000Z" for n in range(times)]
    made = [replace(one, movement_id=ids.new(), occurred_at=each, created_at=each) for each in moments]
    stored = database.get(tables.stock(), tables.stock_event_key(one.event_id)) or {}
    of_moment = {"posted_at", "occurred_at", "created_at"} & stored.keys()
    copies = [stored | tables.stock_event_key(e.movement_id) | dict.fromkeys(of_moment, e.occurred_at) for e in made]
    batch.put(tables.stock(), copies)
    batch.put(tables.movements(), (entry for each in made for entry in entries_of(replace(each, event_id=each.movement_id))))


def recorded(world: World) -> Movement:
    event = shop.move(world, 5, body={"reasonCode": "OTHER"}).json
    world.project()
    return stored_as(event["id"])


def sold(world: World) -> Movement:
    shop.stock(world, 5)
    order_id = ids.new()
    cause = Cause("user-1", (), ids.new())
    reservations.reserve(order_id, {"SKU-1": 1}, cause)
    reservations.commit_sale(order_id, cause)
    world.project()
    return stored_as(reservations.reservation_id_of(order_id))


def stored_as(event_id: str) -> Movement:
    (movement,) = movements_of(database.get(tables.stock(), tables.stock_event_key(event_id)) or {})
    return movement


def page(**query: Any) -> Json:
    return movements.page(StockEventPageQuery.model_validate({name: str(value) for name, value in query.items()}))


@pytest.mark.parametrize("kind", [sold, recorded])
def test_no_page_of_twenty_costs_more_than_thirty_units_however_far_down(world: World, kind: Callable[[World], Movement]) -> None:
    one = kind(world)
    repeat(one, MAX_NUMBERED + 50)
    one_level = {"warehouseId": one.warehouse_id, "variantId": one.lines[0].variant_id}
    window = {"occurredFrom": "2026-01-01T00:10:00Z", "occurredTo": "2026-01-02T00:00:00Z"}
    reason = {"reasonCode": str(one.reason)}
    movements.forget()  # a warehouse that this process has not seen yet

    for query in (reason, one_level, window | {"sort": "createdAt"}):
        for number in (0, MAX_NUMBERED // 20 - 1):
            with metered() as meter:
                found = page(page=number, **query)
            assert (len(found["content"]), found["totalElements"]) == (20, MAX_NUMBERED), query
            assert meter.read <= 30, (query, number)


def test_the_next_page_costs_the_same_however_far_down_and_less_than_the_first(world: World) -> None:
    one = sold(world)
    repeat(one, 80)

    with metered() as first:
        found = page()
    units = []
    while found["next_token"]:
        with metered() as meter:
            found = page(next_token=found["next_token"])
        units.append(meter.read)

    assert units[0] == max(units) < first.read
