"""The release audit: what was given back, page by page and as a file (contract: event-contracts.md)."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest

from tests import shop
from tests.world import World
from tillflow.contexts.stock import reservations, service
from tillflow.messaging.envelope import Cause
from tillflow.values import clock, ids

LIST, EXPORT = "GET /api/stocks/release-events", "GET /api/stocks/release-events/export"
COLUMNS = ["releaseId", "orderId", "reservationId", "reason", "skuId", "quantity", "releasedAt"]


def released(
    world: World, moments: Sequence[str], demand: dict[str, int] | None = None, reason: str = "PAYMENT_FAILED"
) -> list[str]:
    """Return the ids of orders whose reservations were given back at these moments."""
    demand = demand or {"SKU-1": 1}
    for sku in demand:
        shop.stock(world, 1_000, sku)
    orders = []
    for moment in moments:
        order_id = ids.new()
        cause = Cause("user-1", (), "trace-1", clock.parse(moment))
        reservations.reserve(order_id, demand, cause)
        reservations.release(order_id, reason, cause)
        orders.append(order_id)
    return orders


def page(world: World, **query: str) -> Any:
    answer = world.call(LIST, roles=["operator"], query={name.rstrip("_"): value for name, value in query.items()})
    assert answer.status == 200, answer
    return answer.json


def rows(world: World, **query: str) -> list[dict[str, str]]:
    answer = world.call(EXPORT, roles=["manager"], query={name.rstrip("_"): value for name, value in query.items()})
    assert answer.status == 200, answer
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def orders_of(found: Any) -> list[str]:
    return [each["orderId"] for each in found["content"]]


DAYS = [f"2026-02-{day:02}T12:00:00Z" for day in range(1, 8)]


def test_a_release_is_told_whole(world: World) -> None:
    (order_id,) = released(world, DAYS[:1], {"A": 2, "B": 3})

    (release,) = page(world)["content"]

    assert set(release) == {"releaseId", "orderId", "reservationId", "reason", "releasedItems", "releasedAt", "traceId"}
    assert (release["orderId"], release["reason"], release["traceId"]) == (order_id, "PAYMENT_FAILED", "trace-1")
    assert release["reservationId"] == reservations.reservation_id_of(order_id)
    assert release["releasedItems"] == [{"skuId": "A", "quantity": 2}, {"skuId": "B", "quantity": 3}]
    assert release["releasedAt"] == "2026-02-01T12:00:00.000Z"


def test_units_from_several_warehouses_are_one_item(world: World) -> None:
    shop.stock(world, 2)
    shop.stock(world, 2, code="WH-2")
    order_id = shop.order(world, shop.line(quantity=3))
    world.step("reserve_stock", order_id)
    reservations.release(order_id, "why", Cause("u", (), "t"))

    assert page(world)["content"][0]["releasedItems"] == [{"skuId": "SKU-1", "quantity": 3}]


def test_without_releases_there_is_an_empty_page(world: World) -> None:
    assert page(world) == {"content": [], "page": 0, "size": 20, "totalElements": 0, "totalPages": 0}


def test_pages_are_newest_first_without_gaps_or_repeats(world: World) -> None:
    orders = released(world, DAYS)

    pages = [page(world, page=str(number), size="3") for number in range(4)]

    assert [orders_of(each) for each in pages] == [orders[:3:-1], orders[3:0:-1], orders[:1], []]
    for number, each in enumerate(pages):
        assert (each["page"], each["size"], each["totalElements"], each["totalPages"]) == (number, 3, 7, 3)


def test_a_window_includes_both_its_ends(world: World) -> None:
    orders = released(world, DAYS)

    assert orders_of(page(world, from_=DAYS[1], to=DAYS[3])) == orders[3:0:-1]
    assert orders_of(page(world, from_="2026-02-05T13:00:00+01:00")) == orders[:3:-1]
    assert orders_of(page(world, to="2026-02-01T12:00:00")) == orders[:1]
    assert orders_of(page(world, from_="2026-03-01")) == []


def test_one_order_s_release_is_found_by_its_id(world: World) -> None:
    orders = released(world, DAYS[:3])

    assert orders_of(page(world, orderId=orders[1])) == [orders[1]]
    assert orders_of(page(world, orderId=orders[1].upper())) == [orders[1]]
    assert orders_of(page(world, orderId=orders[1], from_=DAYS[1], to=DAYS[1])) == [orders[1]]
    assert orders_of(page(world, orderId=orders[1], from_=DAYS[2])) == []
    assert page(world, orderId=orders[1], page="1")["content"] == []
    assert orders_of(page(world, orderId=ids.new())) == []


def test_an_order_that_still_holds_its_stock_is_not_among_them(world: World) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    world.step("reserve_stock", order_id)

    assert orders_of(page(world)) == orders_of(page(world, orderId=order_id)) == []


def test_a_sale_that_was_taken_back_is_among_them(world: World) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    for step in ("reserve_stock", "charge_payment", "complete_order"):
        world.step(step, order_id)
    world.call("POST /api/orders/{orderId}/cancel", roles=["operator"], path={"orderId": order_id})
    for step in ("fail_order", "refund_payment", "release_stock"):
        world.step(step, order_id)

    assert [(each["orderId"], each["reason"]) for each in page(world)["content"]] == [(order_id, "ORDER_CANCELED")]
    assert shop.level(world) == (5, 0, 5)


# --- export -------------------------------------------------------------------------------------------------------


def test_the_export_is_an_attachment(world: World) -> None:
    answer = world.call(EXPORT, roles=["admin"])

    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="inventory-release-events.csv"'
    assert answer.text == ",".join(COLUMNS) + "\r\n"


def test_the_export_has_a_row_for_each_released_item(world: World) -> None:
    (order_id,) = released(world, DAYS[:1], {"A": 2, "B": 3})

    found = rows(world)

    assert [list(row) for row in found] == [COLUMNS] * 2
    assert [(row["orderId"], row["skuId"], row["quantity"]) for row in found] == [(order_id, "A", "2"), (order_id, "B", "3")]


def test_the_limit_counts_releases_newest_first(world: World) -> None:
    orders = released(world, DAYS, {"A": 1, "B": 1})

    assert [row["orderId"] for row in rows(world, limit="2")] == [orders[6], orders[6], orders[5], orders[5]]


def test_an_export_that_no_lambda_can_answer_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [{"skuId": "A", "quantity": 1}] * 10_000
    release = {
        "releaseId": ids.new(),
        "orderId": ids.new(),
        "reservationId": ids.new(),
        "reason": '"' * 200,
        "releasedAt": DAYS[0],
    }
    monkeypatch.setattr(service, "release_export", lambda _: [release | {"releasedItems": items}])

    answer = world.call(EXPORT, roles=["manager"])

    assert (answer.status, answer.json["error_code"]) == (400, "VALIDATION_FAILED")
    assert "lower limit" in answer.json["message"]


def test_the_offset_in_a_query_string_is_explained(world: World) -> None:
    # `+` is a space where a query string is read.
    answer = world.call(EXPORT, roles=["manager"], query={"from": "2026-01-01T00:00:00 02:00"})

    assert answer.status == 400
    assert "%2B" in answer.json["message"]


def test_the_export_takes_the_same_filters(world: World) -> None:
    orders = released(world, DAYS[:3])

    assert [row["orderId"] for row in rows(world, orderId=orders[1])] == [orders[1]]
    assert [row["orderId"] for row in rows(world, from_=DAYS[2])] == [orders[2]]


@pytest.mark.parametrize("reason", ['=cmd|"/C calc"!A0', "+1", "-1", "@SUM(A1)"])
def test_no_cell_is_run_by_a_spreadsheet(world: World, reason: str) -> None:
    """A reason is anybody's text: release requests come from the bus."""
    released(world, DAYS[:1], reason=reason)

    assert rows(world)[0]["reason"] == f"'{reason}"


def test_a_sku_that_is_a_formula_is_neutralised_too(world: World) -> None:
    released(world, DAYS[:1], {"=1+1": 1})

    assert rows(world)[0]["skuId"] == "'=1+1"


@pytest.mark.parametrize("role", ["buyer", "seller", "service"])
@pytest.mark.parametrize("route", [LIST, EXPORT])
def test_the_audit_is_for_admins_managers_and_operators(world: World, route: str, role: str) -> None:
    assert world.call(route, roles=[role]).status == 403
