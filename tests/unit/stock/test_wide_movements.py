"""A page of movements costs thirty read units at most, whatever is asked for: of a variant that forty warehouses move."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests import shop
from tests.metering import metered
from tests.world import World, running
from tillflow.contexts.stock import homes, movements, store, tables
from tillflow.contexts.stock.entries import entries_of
from tillflow.contexts.stock.models import StockEventPageQuery
from tillflow.contexts.stock.movement import movements_of
from tillflow.contexts.stock.rules import Line
from tillflow.storage import batch
from tillflow.values import ids

type Json = dict[str, Any]

WAREHOUSES = 40
# More than are counted, and as many as are sorted in memory.
SALES, RECORDED, BACKDATED = 1010, 650, 400
WINDOW = {"occurredFrom": "2026-01-01T00:00:00Z", "occurredTo": "2026-01-20T00:00:00Z"}
BUDGET = 30


def moment(minute: int) -> str:
    return f"2026-01-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00.000Z"


def sale(number: int) -> Json:
    at = moment(number)
    return {"type": "OUTBOUND", "reason_code": "SALE", "order_id": ids.new(), "posted_at": at, "occurred_at": at}


def recorded(number: int, later: int = 0) -> Json:
    kind = ("INBOUND", "OUTBOUND", "ADJUST")[number % 3]
    times = {"occurred_at": moment(number), "created_at": moment(number + later)}
    return {"type": kind, "reason_code": "OTHER", "warehouse_code": "W", "notes": None, **times}


@pytest.fixture(scope="module")
def wide() -> Iterator[tuple[World, str, list[str]]]:
    """A variant and the warehouses that move it, in turns."""
    with running() as world:
        variant = shop.variant(world)
        warehouses = [shop.warehouse(world, f"WAREHOUSE-{number:02}") for number in range(WAREHOUSES)]
        beyond = homes.beyond((variant, each) for each in warehouses)
        assert len(beyond) == WAREHOUSES - homes.MOST
        made = [sale(number) for number in range(SALES)]
        made += [recorded(number) for number in range(RECORDED)]
        made += [recorded(number, later=5) for number in range(BACKDATED)]
        lines = [[Line(variant, "SKU-1", warehouses[number % WAREHOUSES], 1)] for number in range(len(made))]
        common = {"status": "posted", "created_by": "somebody"}
        events = [store.event_item(ids.new(), each | common, of_it) for each, of_it in zip(made, lines, strict=True)]
        batch.put(tables.stock(), events)
        moved = [movement for event in events for movement in movements_of(event)]
        batch.put(tables.movements(), (entry for each in moved for entry in entries_of(each, beyond)))
        yield world, variant, warehouses


@pytest.mark.parametrize("sort", ["occurredAt,desc", "occurredAt,asc", "createdAt,desc", "createdAt,asc"])
@pytest.mark.parametrize("window", [{}, WINDOW], ids=["ever", "window"])
@pytest.mark.parametrize(
    ("kind", "reason"), [*product(["", "INBOUND", "OUTBOUND"], ["", "OTHER"]), ("", "SALE"), ("OUTBOUND", "SALE")]
)
def test_no_page_of_twenty_costs_more(
    wide: tuple[World, str, list[str]], kind: str, reason: str, window: Json, sort: str
) -> None:
    _, variant, warehouses = wide
    filters = {"type": kind, "reasonCode": reason, "sort": sort} | window
    for variant_id, warehouse_id in product(("", variant), ("", warehouses[0], warehouses[-1])):
        asked = filters | {"variantId": variant_id, "warehouseId": warehouse_id}
        movements.forget()  # a process that has shown no warehouse yet
        with metered() as meter:
            page = movements.page(StockEventPageQuery.model_validate({name: each for name, each in asked.items() if each}))
        assert meter.read <= BUDGET, (asked, meter.read)
        assert len(page["content"]) == min(20, page["totalElements"]) > 0
