"""The list of stock events over HTTP: filters, order, pages, roles, and the file (contract: stock-events.md)."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from local.wait import until
from tests.integration.behind import Behind
from tests.integration.scene import Article, Caller, Json, Scene, line, refused, unique

LIST = "/api/v1/stock-events"
EXPORT = f"{LIST}/export"
PAGE = {"content", "page", "size", "totalElements", "totalRelation", "totalPages", "next_token"}
EVENT = {
    "id", "type", "warehouseId", "warehouseCode", "occurredAt", "reasonCode", "notes", "createdById", "createdByUsername",
    "createdAt", "lines",
}  # fmt: skip
FROM, TO = "2026-01-02T00:00:00.000Z", "2026-01-03T00:00:00.000Z"


def page(caller: Caller, **query: str | int) -> Json:
    answer = caller.get(LIST, **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def pages(caller: Caller, **query: str | int) -> Iterator[Json]:
    found = page(caller, **query)
    yield found
    while found["next_token"]:
        found = page(caller, **query, next_token=found["next_token"])
        yield found


def ids(found: Json) -> list[str]:
    return [event["id"] for event in found["content"]]


def listed(scene: Scene, events: int, **query: str) -> list[Json]:
    """Return so many events that a list has when the projection has come so far."""

    def found() -> list[Json] | None:
        content: list[Json] = page(scene.manager, **query)["content"]
        return content if len(content) == events else None

    return until(found, seconds=60, what="the projection of a sale")


class Ledger:
    """Two articles in a warehouse of their own, with movements of every sort; a seller is authorised there."""

    def __init__(self, scene: Scene, behind: Behind) -> None:
        self.scene, self.seller = scene, scene.caller("seller")
        self.warehouse_id = scene.warehouse(sellers=(self.seller.user_id,))
        self.articles = [scene.variant(), scene.variant()]
        one, other = self.articles
        self.events = [
            self.record(
                "INBOUND", {one: 50, other: 50}, reasonCode="PURCHASE", notes="Restock", occurredAt="2026-01-01T00:00:00Z"
            ),
            self.record("OUTBOUND", {one: 2}, reasonCode="DAMAGE", occurredAt="2026-01-02T00:00:00Z"),
            self.record("ADJUST", {one: -1, other: 4}, reasonCode="COUNT_CORRECTION", occurredAt="2026-01-03T00:00:00Z"),
            self.record("OUTBOUND", {other: 1}, reasonCode="SALE", occurredAt="2026-01-04T00:00:00Z"),
            self.record("INBOUND", {other: 3}),
        ]
        placed = scene.order(line(one, 2), line(other, 1))
        behind.settle(placed.order_id)
        (sale,) = listed(scene, 1, variantId=one.variant_id, reasonCode="SALE")
        self.events.append(sale)

    def record(self, kind: str, quantities: dict[Article, int], **more: Any) -> Json:
        lines = [{"variantId": article.variant_id, "quantity": quantity} for article, quantity in quantities.items()]
        body = {"type": kind, "warehouseId": self.warehouse_id, "lines": lines} | more
        answer = self.scene.manager.post(LIST, body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    @property
    def own(self) -> dict[str, str]:
        return {"warehouseId": self.warehouse_id}


@pytest.fixture(scope="module")
def ledger(scene: Scene, behind: Behind) -> Ledger:
    return Ledger(scene, behind)


def test_an_event_is_fetched_as_it_was_recorded(scene: Scene, ledger: Ledger) -> None:
    for event in ledger.events:
        answer = scene.manager.get(f"{LIST}/{event['id']}")
        assert (answer.status_code, answer.json()) == (200, event)
        assert event.keys() == EVENT


def test_a_confirmed_order_is_an_event_of_the_contract_s(ledger: Ledger) -> None:
    sale = ledger.events[-1]

    assert [sale[name] for name in ("type", "reasonCode", "warehouseId")] == ["OUTBOUND", "SALE", ledger.warehouse_id]
    assert {(each["variantSku"], each["quantity"]) for each in sale["lines"]} == {
        (ledger.articles[0].sku, -2),
        (ledger.articles[1].sku, -1),
    }
    assert sale["occurredAt"] == sale["createdAt"]


MATCHES: dict[str, Callable[[Json, str], bool]] = {
    "type": lambda event, value: event["type"] == value,
    "variantId": lambda event, value: value in {each["variantId"] for each in event["lines"]},
    "reasonCode": lambda event, value: event["reasonCode"] == value,
    "occurredFrom": lambda event, value: event["occurredAt"] >= value,
    "occurredTo": lambda event, value: event["occurredAt"] <= value,
}


def test_every_combination_of_filters_finds_what_it_says(scene: Scene, ledger: Ledger) -> None:
    values = {
        "type": ["INBOUND", "OUTBOUND", "ADJUST"],
        "variantId": [ledger.articles[0].variant_id],
        "reasonCode": ["SALE", "DAMAGE"],
        "occurredFrom": [FROM],
        "occurredTo": [TO],
    }
    queries: list[dict[str, str]] = [{}]
    for name, each in values.items():
        queries += [query | {name: value} for query in queries for value in each]
    for number, query in enumerate(queries):
        order, direction = ("occurredAt", "createdAt")[number % 2], ("asc", "desc")[number // 2 % 2]
        expected = [each for each in ledger.events if all(MATCHES[name](each, value) for name, value in query.items())]
        found = page(scene.manager, sort=f"{order},{direction}", **ledger.own, **query)
        assert sorted(ids(found)) == sorted(each["id"] for each in expected), query
        moments = [each[order] for each in found["content"]]
        assert moments == sorted(moments, reverse=direction == "desc"), query
        assert found["totalElements"] == len(expected), query
        assert found.keys() == PAGE


def test_the_newest_occurrence_comes_first(scene: Scene, ledger: Ledger) -> None:
    moments = [event["occurredAt"] for event in page(scene.manager, **ledger.own)["content"]]

    assert moments == sorted(moments, reverse=True)


def test_pages_follow_one_another_by_number_and_by_token(scene: Scene, ledger: Ledger) -> None:
    whole = page(scene.manager, **ledger.own)
    assert [whole[name] for name in ("page", "size", "totalElements", "totalPages")] == [0, 20, 6, 1]

    by_token = list(pages(scene.manager, size=4, **ledger.own))
    by_number = [page(scene.manager, size=4, page=number, **ledger.own) for number in range(3)]

    assert [event for each in by_token for event in each["content"]] == whole["content"]
    assert [event for each in by_number for event in each["content"]] == whole["content"]
    assert [each["page"] for each in by_token] == [0, 1]
    assert {(each["totalElements"], each["totalPages"]) for each in (*by_token, *by_number)} == {(6, 2)}
    assert by_number[2]["content"] == []


def test_whoever_recorded_finds_it_in_the_very_next_list(scene: Scene) -> None:
    article = scene.variant()
    for number in range(1, 6):
        event = scene.move(scene.manager, "INBOUND", article, number).json()
        found = page(scene.manager, variantId=article.variant_id, sort="createdAt,desc")
        assert (found["content"][0], found["totalElements"]) == (event, number)


def test_a_sale_of_two_warehouses_is_an_event_of_each(scene: Scene, behind: Behind) -> None:
    article = scene.article(2)
    other = Article(article.sku, article.variant_id, scene.warehouse())
    scene.move(scene.manager, "INBOUND", other, 2)
    placed = scene.order(line(article, 3))
    behind.settle(placed.order_id)
    query = {"variantId": article.variant_id, "reasonCode": "SALE"}

    found = listed(scene, 2, **query)

    assert {event["warehouseId"]: event["lines"][0]["quantity"] for event in found}.keys() == {
        article.warehouse_id,
        other.warehouse_id,
    }
    assert sum(event["lines"][0]["quantity"] for event in found) == -3
    for event in found:
        assert scene.manager.get(f"{LIST}/{event['id']}").json() == event
        assert ids(page(scene.manager, **query, warehouseId=event["warehouseId"])) == [event["id"]]


def test_what_was_refused_or_released_is_no_movement(scene: Scene, behind: Behind) -> None:
    article = scene.article(3)
    for quantity, card in ((1, "tok_declined"), (9, "tok_success")):
        behind.settle(scene.order(line(article, quantity), card=card).order_id)
    confirmed = scene.order(line(article, 1))
    behind.settle(confirmed.order_id)
    found = listed(scene, 2, variantId=article.variant_id)

    assert [(event["type"], event["lines"][0]["quantity"]) for event in found] == [("OUTBOUND", -1), ("INBOUND", 3)]


@pytest.mark.parametrize(
    "query",
    [
        {"type": "SALE"}, {"warehouseId": "7"}, {"variantId": "x"}, {"occurredFrom": "yesterday"}, {"reasonCode": "THEFT"},
        {"occurredFrom": TO, "occurredTo": FROM}, {"page": "-1"}, {"page": "50"}, {"size": "0"}, {"size": "101"},
        {"sort": "quantity,asc"}, {"next_token": "x"}, {"colour": "red"},
    ],
    ids=str,
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(scene: Scene, query: dict[str, str]) -> None:
    assert refused(scene.manager.get(LIST, **query), 400)["detail"] == "invalid payload"


def test_a_seller_sees_what_is_theirs_and_learns_nothing_else(scene: Scene, ledger: Ledger) -> None:
    stranger = scene.caller("seller")
    event = ledger.events[0]

    assert ids(page(ledger.seller, **ledger.own)) == ids(page(scene.manager, **ledger.own))
    assert ledger.seller.get(f"{LIST}/{event['id']}").json() == event
    for path in (LIST, EXPORT):
        for query in ({}, {"warehouseId": scene.warehouse_id}, {"warehouseId": str(uuid4())}):
            assert refused(ledger.seller.get(path, **query), 403)["detail"] == "Forbidden"
        refused(stranger.get(path, **ledger.own), 403)
    assert refused(stranger.get(f"{LIST}/{event['id']}"), 404)["detail"] == "stock-event-not-found"


def test_the_list_is_for_those_who_move_stock(scene: Scene, ledger: Ledger) -> None:
    for path in (LIST, EXPORT, f"{LIST}/{ledger.events[0]['id']}"):
        assert scene.admin.get(path).status_code == 200
        for caller in (scene.buyer, scene.operator):
            refused(caller.get(path), 403)
        assert scene.anonymous.get(path).status_code == 401
    for missing in (str(uuid4()), "none"):
        refused(scene.manager.get(f"{LIST}/{missing}"), 404)


def test_the_file_has_a_row_for_each_line_and_no_cell_that_a_spreadsheet_would_run(scene: Scene, ledger: Ledger) -> None:
    article = scene.variant(f"={unique('SUM(A1)')}")
    scene.move(scene.manager, "INBOUND", article, 1, notes='+1, "quoted"')

    answer = ledger.seller.get(EXPORT, **ledger.own)
    (unsafe,) = csv.DictReader(io.StringIO(scene.manager.get(EXPORT, variantId=article.variant_id).text), strict=True)

    assert answer.headers["content-type"].split(";")[0] == "text/csv"
    assert answer.headers["content-disposition"] == 'attachment; filename="stock-events.csv"'
    rows = [(row["id"], row["variantId"], int(row["quantity"])) for row in csv.DictReader(io.StringIO(answer.text), strict=True)]
    listed = page(scene.manager, **ledger.own)["content"]
    assert rows == [(event["id"], each["variantId"], each["quantity"]) for event in listed for each in event["lines"]]
    assert (unsafe["variantSku"], unsafe["notes"]) == (f"'{article.sku}", '\'+1, "quoted"')
