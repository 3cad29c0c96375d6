"""The list of movements: fetch, filters, order, pages, roles, and what it costs (contract: stock-events.md)."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import shop
from tests.world import World
from tillflow.contexts.stock import reservations
from tillflow.messaging.envelope import Cause
from tillflow.values import clock, ids

LIST, FETCH = "GET /api/v1/stock-events", "GET /api/v1/stock-events/{id}"
EXPORT = "GET /api/v1/stock-events/export"

PAGE = {"content", "page", "size", "totalElements", "totalRelation", "totalPages", "next_token"}

type Json = dict[str, Any]


def page(world: World, *, user: str = "manager-1", role: str = "manager", **query: Any) -> Json:
    answer = world.call(LIST, user=user, roles=[role], query={name: str(value) for name, value in query.items()})
    assert answer.status == 200, answer
    return dict(answer.json)


def listed(world: World, **query: Any) -> list[str]:
    return [event["id"] for event in page(world, **query)["content"]]


def record(world: World, quantity: int = 1, sku: str = "SKU-1", **parts: Any) -> Json:
    answer = shop.move(world, quantity, sku, **parts)
    assert answer.status == 201, answer
    return dict(answer.json)


def sell(demand: dict[str, int], moment: str | None = None) -> str:
    """Return the id of an order whose units were sold at this moment."""
    order_id = ids.new()
    cause = Cause("user-1", ("buyer",), ids.new(), clock.parse(moment) if moment else clock.now())
    reservations.reserve(order_id, demand, cause)
    reservations.commit_sale(order_id, cause)
    return order_id


# --- one event ------------------------------------------------------------------------------------------------------


def test_an_event_is_fetched_as_it_was_recorded(world: World) -> None:
    event = record(world, 25, body={"reasonCode": "PURCHASE", "notes": "Restock", "occurredAt": "2025-02-10T08:00:00Z"})

    answer = world.call(FETCH, roles=["manager"], path={"id": event["id"].upper()})

    assert (answer.status, answer.json) == (200, event)


def test_what_is_not_there_is_not_found(world: World) -> None:
    for event_id in (ids.new(), "none", "x" * 3000):
        answer = world.call(FETCH, roles=["manager"], path={"id": event_id})
        assert (answer.status, answer.json["detail"]) == (404, "stock-event-not-found")


def test_a_sale_is_a_movement_once_it_is_one(world: World) -> None:
    shop.stock(world, 5)
    order_id = ids.new()
    reservation_id = reservations.reservation_id_of(order_id)
    reservations.reserve(order_id, {"SKU-1": 2}, Cause("user-1", (), ids.new(), clock.parse("2026-01-01T00:00:00Z")))
    assert world.call(FETCH, roles=["admin"], path={"id": reservation_id}).status == 404

    reservations.commit_sale(order_id, Cause("user-1", (), ids.new(), clock.parse("2026-01-01T00:00:02Z")))

    assert world.call(FETCH, roles=["admin"], path={"id": reservation_id}).json == {
        "id": reservation_id,
        "type": "OUTBOUND",
        "warehouseId": shop.warehouse(world),
        "warehouseCode": shop.WAREHOUSE,
        "occurredAt": "2026-01-01T00:00:02.000Z",
        "reasonCode": "SALE",
        "notes": None,
        "createdById": "user-1",
        "createdByUsername": "user-1",
        "createdAt": "2026-01-01T00:00:02.000Z",
        "lines": [
            {
                "id": ids.derived("line", f"{reservation_id}:{shop.variant(world)}"),
                "variantId": shop.variant(world),
                "variantSku": "SKU-1",
                "quantity": -2,
            }
        ],
    }


def test_a_return_is_a_movement_beside_its_sale(world: World) -> None:
    shop.stock(world, 5)
    order_id = sell({"SKU-1": 2})
    reservations.give_back(order_id, "canceled", Cause("operator-1", (), ids.new()))
    world.project()

    found = page(world)["content"]

    assert [(each["type"], each["reasonCode"], each["lines"][0]["quantity"]) for each in found] == [
        ("INBOUND", "OTHER", 2),
        ("OUTBOUND", "SALE", -2),
        ("INBOUND", None, 5),
    ]
    assert found[0]["id"] == ids.derived("return", order_id)
    assert [world.call(FETCH, roles=["admin"], path={"id": each["id"]}).json for each in found] == found


def test_what_is_held_refused_or_released_moved_nothing(world: World) -> None:
    shop.stock(world, 5)
    orders = [ids.new() for _ in range(3)]
    cause = Cause("user-1", (), ids.new())
    reservations.reserve(orders[0], {"SKU-1": 1}, cause)
    with pytest.raises(reservations.ReservationRefused):
        reservations.reserve(orders[1], {"SKU-1": 9}, cause)
    reservations.reserve(orders[2], {"SKU-1": 1}, cause)
    reservations.release(orders[2], "why", cause)
    world.project()

    assert len(listed(world)) == 1
    for order_id in orders:
        path = {"id": reservations.reservation_id_of(order_id)}
        assert world.call(FETCH, roles=["manager"], path=path).status == 404


def test_a_sale_from_two_warehouses_is_an_event_of_each(world: World) -> None:
    shop.stock(world, 2)
    shop.stock(world, 2, code="WH-2")
    order_id = sell({"SKU-1": 3})
    world.project()

    found = page(world, reasonCode="SALE")["content"]

    assert sorted((each["warehouseCode"], each["lines"][0]["quantity"]) for each in found) in (
        [("WH-1", -1), ("WH-2", -2)],
        [("WH-1", -2), ("WH-2", -1)],
    )
    for each in found:
        assert world.call(FETCH, roles=["manager"], path={"id": each["id"]}).json == each
        assert listed(world, reasonCode="SALE", warehouseId=each["warehouseId"]) == [each["id"]]
    whole = {"id": reservations.reservation_id_of(order_id)}
    assert world.call(FETCH, roles=["manager"], path=whole).status == 404


# --- filters --------------------------------------------------------------------------------------------------------

FIELDS: dict[str, Callable[[Json, str], bool]] = {
    "type": lambda event, value: event["type"] == value,
    "warehouseId": lambda event, value: event["warehouseId"] == value,
    "variantId": lambda event, value: value in {line["variantId"] for line in event["lines"]},
    "reasonCode": lambda event, value: event["reasonCode"] == value,
    "occurredFrom": lambda event, value: event["occurredAt"] >= value,
    "occurredTo": lambda event, value: event["occurredAt"] <= value,
}
FROM, TO = "2026-01-03T00:00:00.000Z", "2026-01-06T00:00:00.000Z"


def ledger(world: World) -> list[Json]:
    """Return stock events of every sort: two warehouses, two variants, backdated or not, sales, a return."""
    made = []
    for code in ("WH-1", "WH-2"):
        made.append(record(world, 40, "A", code=code, body={"occurredAt": "2026-01-01T00:00:00Z", "reasonCode": "PURCHASE"}))
        made.append(record(world, 40, "B", code=code))
        both = [{"variantId": shop.variant(world, sku), "quantity": 1} for sku in ("A", "B")]
        for day, kind, reason in [
            (2, "OUTBOUND", "DAMAGE"),
            (3, "ADJUST", "COUNT_CORRECTION"),
            (5, "OUTBOUND", "SALE"),
            (6, "INBOUND", None),
        ]:
            body = {"occurredAt": f"2026-01-0{day}T00:00:00Z", "reasonCode": reason, "lines": both}
            made.append(record(world, 1, "A", kind=kind, code=code, body=body))
        made.append(record(world, 1, "B", kind="ADJUST", code=code, body={"reasonCode": "DAMAGE"}))
    for day, demand in enumerate(({"A": 1}, {"A": 1, "B": 2}, {"B": 1}, {"B": 30, "A": 45}), start=2):
        order_id = sell(demand, f"2026-01-0{day}T00:00:00Z")
    reservations.give_back(order_id, "canceled", Cause("operator-1", (), ids.new(), clock.parse("2026-01-06T12:00:00Z")))
    world.project()
    return list(page(world, size=100)["content"])


def combinations(world: World) -> Iterator[dict[str, str]]:
    values = {
        "type": ["INBOUND", "OUTBOUND", "ADJUST"],
        "reasonCode": ["SALE", "DAMAGE", "OTHER"],
        "warehouseId": [shop.warehouse(world, "WH-2")],
        "variantId": [shop.variant(world, "B")],
    }
    found: list[dict[str, str]] = [{}]
    for name, each in values.items():
        found += [known | {name: value} for known in found for value in each]
    windows: tuple[dict[str, str], ...] = (
        {},
        {"occurredFrom": FROM, "occurredTo": TO},
        {"occurredFrom": FROM},
        {"occurredTo": TO},
    )
    for number, known in enumerate(found):
        yield known
        yield known | windows[1 + number % 3]


def test_every_combination_of_filters_finds_what_it_says_in_either_order(world: World) -> None:
    everything = ledger(world)
    assert len(everything) == 14 + 5 + 2  # a sale and its return are of two warehouses

    for number, query in enumerate(combinations(world)):
        order, direction = ("occurredAt", "createdAt")[number // 2 % 2], ("asc", "desc")[number // 4 % 2]
        found = page(world, size=100, sort=f"{order},{direction}", **query)
        expected = [each for each in everything if all(FIELDS[name](each, value) for name, value in query.items())]
        assert sorted(each["id"] for each in found["content"]) == sorted(each["id"] for each in expected), query
        moments = [each[order] for each in found["content"]]
        assert moments == sorted(moments, reverse=direction == "desc"), query
        assert (found["totalElements"], found["next_token"]) == (len(expected), None)


def test_a_list_shows_a_stock_event_before_and_after_it_is_projected(world: World) -> None:
    queries = list(combinations(world))[::3]
    event = record(world, 1, "B", code="WH-2", body={"occurredAt": FROM, "reasonCode": "OTHER"})
    matching = [query for query in queries if all(FIELDS[name](event, value) for name, value in query.items())]
    assert 3 < len(matching) < len(queries)

    def finding() -> list[dict[str, str]]:
        return [query for query in queries if page(world, sort="createdAt", **query)["totalElements"] == 1]

    assert finding() == matching
    world.project()
    assert not [item for item in world.items("MovementsTable") if item["pk"] == "RECENT"]
    assert finding() == matching


def test_what_is_projected_and_still_recent_is_listed_once(world: World) -> None:
    for _ in range(3):
        record(world)
    recent = world.items("MovementsTable")
    world.project()
    world.restore("MovementsTable", recent)

    found = page(world)

    assert len(found["content"]) == len({each["id"] for each in found["content"]}) == 3
    assert found["totalElements"] == 3


def test_projecting_again_changes_nothing(world: World) -> None:
    ledger(world)
    before = world.items("MovementsTable")

    world.project()

    assert world.items("MovementsTable") == before


def test_the_default_is_the_newest_occurrence_first(world: World) -> None:
    days = [record(world, body={"occurredAt": f"2026-01-0{day}T00:00:00Z"})["id"] for day in (2, 4, 1, 3)]

    assert listed(world) == [days[1], days[3], days[0], days[2]]
    assert listed(world, sort="createdAt") == days
    assert listed(world, sort="createdAt,desc") == days[::-1]
    assert listed(world, sort="occurredAt") == [days[2], days[0], days[3], days[1]]


@pytest.mark.parametrize(
    "query",
    [
        {"type": "SALE"},
        {"type": ""},
        {"warehouseId": "WH-1"},
        {"variantId": "x"},
        {"occurredFrom": "yesterday"},
        {"occurredTo": "2026-13-01T00:00:00Z"},
        {"occurredFrom": "2026-01-02T00:00:00Z", "occurredTo": "2026-01-01T00:00:00Z"},
        {"reasonCode": "THEFT"},
        {"page": "-1"},
        {"size": "0"},
        {"size": "101"},
        {"sort": "quantity"},
        {"sort": "occurredAt,up"},
        {"page": "50", "size": "20"},
        {"next_token": "x"},
        {"next_token": ""},
        {"next_token": "W10"},
        {"next_token": "WzEsMiwzLDRd"},
        {"next_token": "é"},
        {"limit": "1"},
    ],
    ids=str,
)
def test_a_question_that_makes_no_sense_is_refused(world: World, query: dict[str, str]) -> None:
    answer = world.call(LIST, roles=["manager"], query=query)

    assert (answer.status, answer.json["detail"]) == (400, "invalid payload"), answer


# --- pages ----------------------------------------------------------------------------------------------------------


def followed(world: World, **query: Any) -> list[Json]:
    pages = [page(world, **query)]
    while pages[-1]["next_token"]:
        pages.append(page(world, next_token=pages[-1]["next_token"], **query))
    return pages


@pytest.mark.parametrize("sort", ["occurredAt,desc", "occurredAt,asc", "createdAt,desc", "createdAt,asc"])
@pytest.mark.parametrize("more", [{}, {"occurredFrom": FROM}, {"type": "OUTBOUND", "occurredTo": TO}])
def test_pages_follow_one_another_without_gap_or_repetition(world: World, sort: str, more: dict[str, str]) -> None:
    ledger(world)
    record(world, 1, "A", body={"occurredAt": FROM})  # not projected yet
    whole = page(world, size=100, sort=sort, **more)
    assert set(whole) == PAGE

    by_token = followed(world, size=4, sort=sort, **more)
    by_number = [page(world, size=4, sort=sort, page=number, **more) for number in range(len(by_token))]

    for pages in (by_token, by_number):
        assert [event for each in pages for event in each["content"]] == whole["content"]
        assert [each["page"] for each in pages] == list(range(len(pages)))
        assert {(each["totalElements"], each["totalPages"]) for each in pages} == {(len(whole["content"]), len(pages))}
    assert page(world, size=4, sort=sort, page=len(by_token), **more)["content"] == []


def test_a_token_is_of_one_question(world: World) -> None:
    for _ in range(3):
        record(world)
    token = page(world, size=1)["next_token"]

    for query in (
        {"size": "2"},
        {"size": "1", "type": "INBOUND"},
        {"size": "1", "sort": "createdAt,desc"},
        {"size": "1", "page": "1"},
    ):
        answer = world.call(LIST, roles=["manager"], query=query | {"next_token": token})
        assert (answer.status, answer.json["detail"]) == (400, "invalid payload")


def test_an_empty_ledger_is_an_empty_page(world: World) -> None:
    assert page(world) == {
        "content": [],
        "page": 0,
        "size": 20,
        "totalElements": 0,
        "totalRelation": "eq",
        "totalPages": 0,
        "next_token": None,
    }


# --- roles ----------------------------------------------------------------------------------------------------------


def test_a_seller_lists_and_fetches_what_is_theirs_alone(world: World) -> None:
    mine, foreign = shop.warehouse(world, "MINE", ("seller-1",)), shop.warehouse(world, "FOREIGN", ("seller-2",))
    own, other = record(world, code="MINE"), record(world, code="FOREIGN")
    seller: Any = {"user": "seller-1", "roles": ["seller"]}

    for route in (LIST, EXPORT):
        for query in ({}, {"warehouseId": foreign}, {"warehouseId": ids.new()}, {"variantId": shop.variant(world)}):
            answer = world.call(route, **seller, query=query)
            assert (answer.status, answer.json["detail"]) == (403, "Forbidden"), (route, query)
        assert world.call(route, **seller, query={"warehouseId": mine}).status == 200
    assert listed(world, user="seller-1", role="seller", warehouseId=mine) == [own["id"]]
    assert world.call(FETCH, **seller, path={"id": own["id"]}).json == own
    hidden, missing = (world.call(FETCH, **seller, path={"id": each}) for each in (other["id"], ids.new()))
    assert hidden.status == missing.status == 404
    assert hidden.json | {"request_id": 0} == missing.json | {"request_id": 0}


@pytest.mark.parametrize("role", ["admin", "manager"])
def test_those_who_run_the_shop_see_every_warehouse(world: World, role: str) -> None:
    event = record(world)

    assert listed(world, role=role) == [event["id"]]
    assert listed(world, role=role, warehouseId=ids.new()) == []
    assert world.call(FETCH, roles=["seller", role], path={"id": event["id"]}).json == event


def test_a_seller_sees_a_variant_s_levels_in_their_warehouses_alone(world: World) -> None:
    shop.warehouse(world, "MINE", ("seller-1",))
    shop.stock(world, 3, code="MINE")
    shop.stock(world, 9, code="FOREIGN")
    path = {"id": shop.variant(world)}

    seen = {
        user: [
            level["onHand"]
            for level in world.call("GET /api/v1/variants/{id}/levels", user=user, roles=["seller"], path=path).json["items"]
        ]
        for user in ("seller-1", "seller-2")
    }

    assert seen == {"seller-1": [3], "seller-2": []}
    assert len(shop.levels(world)) == 2


# --- the file -------------------------------------------------------------------------------------------------------


def test_the_file_has_a_row_for_each_line_of_what_the_list_finds(world: World) -> None:
    events = ledger(world)

    answer = world.call(EXPORT, roles=["manager"], query={"sort": "occurredAt,desc"})
    some = world.call(EXPORT, roles=["manager"], query={"limit": "2", "type": "OUTBOUND"})

    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["id"], row["variantId"], int(row["quantity"])) for row in rows] == [
        (event["id"], line["variantId"], line["quantity"]) for event in events for line in event["lines"]
    ]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="stock-events.csv"'
    outbound = [event["id"] for event in events if event["type"] == "OUTBOUND"][:2]
    assert list(dict.fromkeys(row["id"] for row in csv.DictReader(io.StringIO(some.text)))) == outbound


def test_a_cell_that_a_spreadsheet_would_run_is_made_inert(world: World) -> None:
    record(world, 1, "=SUM(A1)", body={"notes": '+1, "quoted"\nand more'})

    (row,) = csv.DictReader(io.StringIO(world.call(EXPORT, roles=["admin"]).text, newline=""))

    assert (row["variantSku"], row["notes"], row["quantity"]) == ("'=SUM(A1)", '\'+1, "quoted"\nand more', "1")
