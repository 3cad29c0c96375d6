"""The release audit: every return of reserved or sold stock, as a list and as a file (contract: event-contracts.md)."""

import csv
import io
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.integration.behind import Behind
from tests.integration.scene import Article, Json, Order, Scene, line, refused, unique

LIST = "/api/stocks/release-events"
EXPORT = f"{LIST}/export"
COLUMNS = ["releaseId", "orderId", "reservationId", "reason", "skuId", "quantity", "releasedAt"]
DANGEROUS = ["=", "+", "-", "@"]


@pytest.fixture(scope="module")
def articles(scene: Scene) -> list[Article]:
    """Articles whose SKUs a spreadsheet would run, or that need quotes in a CSV file."""
    skus = [*(f"{first}{unique('SUM(A1)')}" for first in DANGEROUS), f'{unique("SKU")},"quoted"']
    return [scene.article(9, sku=sku) for sku in skus]


@pytest.fixture(scope="module")
def orders(scene: Scene, behind: Behind, articles: list[Article]) -> list[Order]:
    """Three orders that gave their stock back, each before the next: the last one of all *articles*."""
    lines = [[line(articles[0], 1)], [line(articles[0], 2)], [line(article, 3) for article in articles]]
    placed = []
    for wanted in lines:
        placed.append(scene.order(*wanted, card="tok_declined"))
        behind.settle(placed[-1].order_id)
    return placed


def page(scene: Scene, **query: str | int) -> Json:
    answer = scene.operator.get(LIST, **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def window(scene: Scene, orders: list[Order]) -> dict[str, str]:
    """Return the query for exactly the time in which *orders* were released."""
    moments = sorted(page(scene, orderId=order.order_id)["content"][0]["releasedAt"] for order in orders)
    return {"from": moments[0], "to": moments[-1]}


def of(orders: list[Order], found: Json) -> list[str]:
    """Return the ids of these orders in what was *found*, in its order."""
    mine = {order.order_id for order in orders}
    return [release["orderId"] for release in found["content"] if release["orderId"] in mine]


def test_a_release_is_listed_with_all_that_it_gave_back(scene: Scene, orders: list[Order], articles: list[Article]) -> None:
    found = page(scene, orderId=orders[2].order_id)
    assert found.keys() == {"content", "page", "size", "totalElements", "totalPages"}
    assert [found[name] for name in ("page", "size", "totalElements", "totalPages")] == [0, 20, 1, 1]
    (release,) = found["content"]
    assert release["orderId"] == orders[2].order_id
    assert release["reason"] == "PAYMENT_FAILED"
    assert release["traceId"] == orders[2].trace_id
    assert UUID(release["releaseId"])
    assert UUID(release["reservationId"])
    assert datetime.fromisoformat(release["releasedAt"])
    assert release["releasedItems"] == [{"skuId": article.sku, "quantity": 3} for article in articles]


def test_the_newest_release_comes_first(scene: Scene, orders: list[Order]) -> None:
    found = page(scene, **window(scene, orders), size=100)
    assert of(orders, found) == [order.order_id for order in reversed(orders)]


def test_pages_follow_one_another_without_gap_or_repetition(scene: Scene, orders: list[Order]) -> None:
    query = window(scene, orders)
    whole = page(scene, **query, size=100)
    total = whole["totalElements"]
    assert total >= len(orders)
    pages = [page(scene, **query, size=2, page=number) for number in range(-(-total // 2) + 1)]
    assert [release for each in pages for release in each["content"]] == whole["content"]
    assert {each["totalElements"] for each in pages} == {total}
    assert {each["totalPages"] for each in pages} == {-(-total // 2)}
    assert pages[-1]["content"] == []


def test_a_window_has_both_its_ends(scene: Scene, orders: list[Order]) -> None:
    ends = window(scene, orders)
    assert of(orders, page(scene, **{"from": ends["from"], "to": ends["from"]}, size=100)) == [orders[0].order_id]
    late = (datetime.fromisoformat(ends["from"]) + timedelta(milliseconds=1)).isoformat()
    assert of(orders, page(scene, **{"from": late, "to": ends["to"]}, size=100)) == [
        order.order_id for order in reversed(orders[1:])
    ]
    assert of(orders, page(scene, to="2020-01-01T00:00:00Z", size=100)) == []
    assert of(orders, page(scene, **{"from": late, "orderId": orders[0].order_id})) == []


def test_an_order_that_released_nothing_has_no_audit(scene: Scene) -> None:
    found = page(scene, orderId=str(uuid4()))
    assert (found["content"], found["totalElements"], found["totalPages"]) == ([], 0, 0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("size", "101"),
        ("size", "0"),
        ("size", "-1"),
        ("size", "many"),
        ("page", "-1"),
        ("page", "1.5"),
        ("page", "100001"),
        ("orderId", "7"),
        ("from", "yesterday"),
        ("to", "2026-13-01T00:00:00Z"),
        ("from", "0001-01-01T00:00:00+01:00"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(scene: Scene, name: str, text: str) -> None:
    refused(scene.operator.get(LIST, **{name: text}), 400)


def test_a_window_does_not_end_before_it_begins(scene: Scene) -> None:
    refused(scene.operator.get(LIST, **{"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}), 400)


@pytest.mark.parametrize("limit", ["0", "10001", "all"])
def test_an_export_has_its_limit(scene: Scene, limit: str) -> None:
    refused(scene.operator.get(EXPORT, limit=limit), 400)


def rows(scene: Scene, **query: str | int) -> list[dict[str, str]]:
    answer = scene.operator.get(EXPORT, **query)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text), strict=True))


def test_the_export_is_a_file_with_a_row_for_each_item(scene: Scene, orders: list[Order], articles: list[Article]) -> None:
    answer = scene.operator.get(EXPORT, orderId=orders[2].order_id)
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == "text/csv"
    assert answer.headers["content-disposition"] == 'attachment; filename="inventory-release-events.csv"'
    assert answer.text.count("\r\n") == answer.text.count("\n") == 1 + len(articles)
    assert answer.text.splitlines()[0] == ",".join(COLUMNS)
    (release,) = page(scene, orderId=orders[2].order_id)["content"]
    found = rows(scene, orderId=orders[2].order_id)
    for row in found:
        assert {name: row[name] for name in ("releaseId", "orderId", "reservationId", "reason", "releasedAt")} == {
            name: release[name] for name in ("releaseId", "orderId", "reservationId", "reason", "releasedAt")
        }
    assert [row["quantity"] for row in found] == ["3"] * len(articles)


def test_a_cell_that_a_spreadsheet_would_run_is_made_inert(scene: Scene, orders: list[Order], articles: list[Article]) -> None:
    found = [row["skuId"] for row in rows(scene, orderId=orders[2].order_id)]
    assert found == [f"'{article.sku}" if article.sku[0] in DANGEROUS else article.sku for article in articles]


def test_an_export_has_the_same_releases_as_the_list_up_to_its_limit(scene: Scene, orders: list[Order]) -> None:
    query = window(scene, orders)
    listed = [release["releaseId"] for release in page(scene, **query, size=100)["content"]]
    assert list(dict.fromkeys(row["releaseId"] for row in rows(scene, **query))) == listed
    assert list(dict.fromkeys(row["releaseId"] for row in rows(scene, **query, limit=2))) == listed[:2]


def test_an_export_of_nothing_has_its_heading(scene: Scene) -> None:
    assert scene.operator.get(EXPORT, orderId=str(uuid4())).text == ",".join(COLUMNS) + "\r\n"


@pytest.mark.parametrize("path", [LIST, EXPORT])
def test_the_audit_is_for_those_who_run_the_shop(scene: Scene, path: str) -> None:
    for caller in (scene.admin, scene.manager, scene.operator):
        assert caller.get(path).status_code == 200
    for caller in (scene.buyer, scene.caller("seller")):
        refused(caller.get(path), 403)
    assert scene.anonymous.get(path).status_code == 401
