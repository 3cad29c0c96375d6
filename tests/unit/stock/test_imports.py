"""Importing stock events from CSV: what is refused, what becomes of each row, and what is cut off (contract: stock-events.md)."""

import csv
import io
from collections.abc import Iterable
from itertools import cycle
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from tests import shop
from tests.metering import metered
from tests.world import Answer, Context, World
from tillflow.contexts.stock import importing, sheet
from tillflow.contexts.stock.models import MAX_LINES
from tillflow.values import clock, ids
from tillflow.web.numbered import MAX_SIZE

IMPORT, PROGRESS, LIST = "POST /api/v1/stock-events/import", "GET /api/v1/imports/{id}", "GET /api/v1/stock-events"
HEADING = ("type", "warehouseCode", "sku", "quantity", "reasonCode", "notes", "occurredAt")

type Json = dict[str, Any]
type Row = tuple[object, ...]


def file_of(rows: Iterable[Row], heading: Row = HEADING) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([heading, *([*row, *[""] * (len(heading) - len(row))] for row in rows)])
    return text.getvalue()


def send(
    world: World, text: str, *, key: str | None = None, user: str = "manager-1", role: str = "manager", **query: str
) -> Answer:
    headers = {"Content-Type": "text/csv", "Idempotency-Key": key or str(uuid4())}
    return world.call(IMPORT, user=user, roles=[role], body=text, headers=headers, query=query or None)


def record(world: World, import_id: str) -> bool:
    """Run the state machine."""
    while not (answer := world.invoke("stock/record_import", {"import_id": import_id}))["finished"]:
        pass
    return bool(answer["finished"])


def progress(world: World, import_id: str, *, user: str = "manager-1", role: str = "manager", **query: Any) -> Json:
    answer = world.call(PROGRESS, user=user, roles=[role], path={"id": import_id}, query={"size": "100", **query})
    assert answer.status == 200, answer
    return dict(answer.json)


def imported(world: World, rows: Iterable[Row], **parts: Any) -> Json:
    answer = send(world, file_of(rows), **parts)
    assert answer.status == 202, answer
    assert record(world, answer.json["id"])
    who = {name: parts[name] for name in ("user", "role") if name in parts}
    return progress(world, answer.json["id"], **who)


def events(world: World) -> list[Json]:
    world.project()
    return list(world.call(LIST, roles=["manager"], query={"size": "100", "sort": "createdAt"}).json["content"])


@pytest.fixture
def stocked(world: World) -> World:
    for code in ("WH-1", "WH-2"):
        shop.warehouse(world, code, ("seller-1",) if code == "WH-1" else ())
    for sku in ("A", "B", "C"):
        shop.variant(world, sku)
    return world


# --- what a file is


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no rows"),
        ("type,sku\n", "first line"),
        (f"{','.join(HEADING)},colour\n", "first line"),
        (f"{','.join(HEADING)},sku\n", "first line"),
        (f"{','.join(HEADING)}\n\n\n", "no rows"),
        (f"{','.join(HEADING)}\nINBOUND,WH-1\n", "Line 2"),
        (f'{",".join(HEADING)}\n"INBOUND" x,WH-1,A,1,,,\n', "Line 2"),
        (f'{",".join(HEADING)}\nINBOUND,WH-1,A,1,,"open\n\n', "CSV"),
        (file_of(("INBOUND", "WH-1", "A", 1) for _ in range(10_001)), "10,000"),
    ],
    ids=["empty", "missing", "unknown", "twice", "no rows", "short", "quotes", "open", "many"],
)
def test_what_is_no_such_file_is_refused(world: World, text: str, told: str) -> None:
    answer = send(world, text)

    assert (answer.status, answer.json["error_code"], answer.json["detail"]) == (400, "INVALID_IMPORT", "invalid payload")
    assert told in answer.json["message"]
    assert not world.items("StockTable")


@pytest.mark.parametrize("lost", [chr(0xFFFD), chr(0xD800)], ids=["replaced", "half"])
def test_a_file_that_lost_a_character_on_its_way_is_refused(stocked: World, lost: str) -> None:
    answer = send(stocked, file_of([("INBOUND", "WH-1", lost, 1)]))

    assert (answer.status, answer.json["detail"]) == (400, "invalid payload")
    assert "UTF-8" in answer.json["message"]


@pytest.mark.parametrize(
    ("media_type", "status"),
    [("text/csv", 202), ('Text/CSV; charset="UTF-8"', 202), ("text/csvx", 400), ("text/csv; charset=latin-1", 400)],
)
def test_a_file_is_csv_in_utf_8(stocked: World, media_type: str, status: int) -> None:
    headers = {"Content-Type": media_type, "Idempotency-Key": "k"}
    answer = stocked.call(IMPORT, roles=["manager"], body=file_of([("INBOUND", "WH-1", "A", 1)]), headers=headers)

    assert answer.status == status


def test_a_file_needs_its_media_type_and_a_key(world: World) -> None:
    text = file_of([("INBOUND", "WH-1", "A", 1)])

    for headers in ({"Idempotency-Key": "k"}, {"Content-Type": "text/csv"}, {"Content-Type": "text/csv", "Idempotency-Key": " "}):
        answer = world.call(IMPORT, roles=["manager"], body=text, headers=headers)
        assert (answer.status, answer.json["detail"]) == (400, "invalid payload")


def test_columns_come_in_any_order_and_lines_are_those_of_the_file(stocked: World) -> None:
    heading = ("notes", "sku", "quantity", "type", "warehouseCode", "reasonCode")
    rows = [("two\r\nlines", "A", " 5 ", "INBOUND", "WH-1", "PURCHASE"), ("", "nothing", 1, "INBOUND", "WH-1", "")]
    text = "\ufeff" + file_of(rows, heading)
    answer = send(stocked, text)
    record(stocked, answer.json["id"])

    found = progress(stocked, answer.json["id"])

    assert [(row["line"], row["status"], row["error_code"]) for row in found["content"]] == [
        (2, "recorded", None),
        (4, "refused", "VARIANT_NOT_FOUND"),
    ]
    (event,) = events(stocked)
    assert (event["notes"], event["reasonCode"], event["lines"][0]["quantity"]) == ("two\r\nlines", "PURCHASE", 5)


# --- what becomes of rows


def test_rows_that_say_the_same_are_one_stock_event(stocked: World) -> None:
    found = imported(
        stocked,
        [
            ("INBOUND", "WH-1", "A", 5, "PURCHASE", "Delivery"),
            ("INBOUND", "WH-2", "A", 7, "PURCHASE", "Delivery"),
            ("INBOUND", "WH-1", "B", 6, "PURCHASE", "Delivery"),
            ("OUTBOUND", "WH-1", "A", 2, "DAMAGE"),
            ("INBOUND", "WH-1", "C", 1, "PURCHASE", "Delivery", "2026-01-01T00:00:00Z"),
            ("ADJUST", "WH-1", "B", -1, "COUNT_CORRECTION"),
        ],
    )

    assert [found[name] for name in ("status", "rows", "accepted", "refused", "pending")] == ["completed", 6, 6, 0, 0]
    told = [[(line["variantSku"], line["quantity"]) for line in event["lines"]] for event in events(stocked)]
    assert sorted(told) == sorted([[("A", 5), ("B", 6)], [("A", 7)], [("A", -2)], [("C", 1)], [("B", -1)]])
    by_id = {event["id"]: event for event in events(stocked)}
    first, _, third, *_ = found["content"]
    assert first["stockEventId"] == third["stockEventId"]
    assert by_id[first["stockEventId"]]["createdById"] == "manager-1"
    assert {row["stockEventId"] for row in found["content"]} == by_id.keys()


def test_of_one_level_the_file_s_order_is_kept(stocked: World) -> None:
    rows = [("INBOUND", "WH-1", "B", 1), ("INBOUND", "WH-1", "A", 2), ("OUTBOUND", "WH-1", "A", 2), ("INBOUND", "WH-1", "A", 3)]

    found = imported(stocked, [*rows, ("OUTBOUND", "WH-1", "A", 3), ("OUTBOUND", "WH-1", "A", 1)])

    assert [row["status"] for row in found["content"]] == ["recorded"] * 5 + ["refused"]
    assert found["content"][-1]["error_code"] == "INSUFFICIENT_STOCK"
    assert shop.level(stocked, "A") == (0, 0, 0)


def test_a_row_that_breaks_a_rule_is_refused_alone(stocked: World) -> None:
    shop.variant(stocked, "OFF", active=False)
    shop.variant(stocked, "OLD", expiresAt="2026-01-01T00:00:00Z")
    good = ("INBOUND", "WH-1", "A", 1, "PURCHASE")
    bad = [
        (("INBOUND", "NOWHERE", "A", 1), "WAREHOUSE_NOT_FOUND"),
        (("INBOUND", "WH-1", "NOTHING", 1), "VARIANT_NOT_FOUND"),
        (("INBOUND", "WH-1", "A", 0), "INVALID_STOCK_EVENT"),
        (("INBOUND", "WH-1", "A", "1.0"), "INVALID_STOCK_EVENT"),
        (("INBOUND", "WH-1", "A", "1e3"), "INVALID_STOCK_EVENT"),
        (("INBOUND", "WH-1", "A", 1, "SALE"), "INVALID_STOCK_EVENT"),
        (("THEFT", "WH-1", "A", 1), "INVALID_STOCK_EVENT"),
        (("INBOUND", "WH-1", "A", 1, "", "x" * 501), "INVALID_STOCK_EVENT"),
        (("INBOUND", "WH-1", "A", 1, "", "", "yesterday"), "INVALID_STOCK_EVENT"),
        (("INBOUND", "WH-1", "A", 1, "", "", "2999-01-01T00:00:00Z"), "INVALID_STOCK_EVENT"),
        (("INBOUND", "WH-1", "OFF", 1), "INVALID_STOCK_EVENT"),
        (("INBOUND", "WH-1", "OLD", 1, "PURCHASE"), "INVALID_STOCK_EVENT"),
        (("OUTBOUND", "WH-1", "B", 1), "INSUFFICIENT_STOCK"),
        (("", "", "", ""), None),
    ]

    found = imported(stocked, [good, *(row for row, _ in bad), good])

    codes = [code for _, code in bad if code]
    assert [row["error_code"] for row in found["content"]] == [None, *codes, None]
    assert [found[name] for name in ("accepted", "refused")] == [2, len(codes)]
    assert all(row["message"] for row in found["content"] if row["error_code"])
    assert shop.level(stocked, "A")[0] == 2
    refused = progress(stocked, found["id"], status="refused", size="5")
    assert (refused["totalElements"], len(refused["content"])) == (len(codes), 5)


def test_where_a_stock_event_takes_too_much_the_rows_that_do_not_are_recorded(stocked: World) -> None:
    skus = [f"S{number}" for number in range(12)]
    for sku in skus:
        shop.variant(stocked, sku)
    imported(stocked, [("INBOUND", "WH-1", sku, 5) for sku in skus])

    found = imported(stocked, [("OUTBOUND", "WH-1", sku, 9 if sku in ("S3", "S8") else 5) for sku in skus])

    refused = [skus[row["line"] - 2] for row in found["content"] if row["status"] == "refused"]
    assert refused == ["S3", "S8"]
    assert [shop.level(stocked, sku)[0] for sku in skus] == [5 if sku in refused else 0 for sku in skus]


def test_a_seller_imports_where_they_are_named_and_sees_their_own_imports(stocked: World) -> None:
    seller: Any = {"user": "seller-1", "role": "seller"}
    found = imported(stocked, [("INBOUND", "WH-1", "A", 1), ("INBOUND", "WH-2", "A", 1)], **seller)
    theirs = imported(stocked, [("INBOUND", "WH-2", "A", 1)])

    assert [row["error_code"] for row in found["content"]] == [None, "WAREHOUSE_FORBIDDEN"]
    assert progress(stocked, found["id"])["accepted"] == 1
    for import_id in (theirs["id"], ids.new()):
        answer = stocked.call(PROGRESS, user="seller-1", roles=["seller"], path={"id": import_id})
        assert (answer.status, answer.json["detail"]) == (404, "stock-import-not-found")


def test_a_dry_run_says_what_would_become_of_rows_and_records_nothing(stocked: World) -> None:
    shop.stock(stocked, 3, "A")
    before = shop.level(stocked, "A")
    rows = [
        ("OUTBOUND", "WH-1", "A", 2),
        ("OUTBOUND", "WH-1", "A", 2),
        ("INBOUND", "WH-1", "A", 1),
        ("OUTBOUND", "WH-1", "A", 2),
        ("INBOUND", "WH-1", "NOTHING", 1),
    ]

    found = imported(stocked, rows, dryRun="true")

    assert [row["status"] for row in found["content"]] == ["valid", "refused", "valid", "valid", "refused"]
    assert [row["stockEventId"] for row in found["content"]] == [None] * 5
    assert (found["dryRun"], found["status"], shop.level(stocked, "A")) == (True, "completed", before)
    assert [row["status"] for row in imported(stocked, rows)["content"]] == [
        "recorded",
        "refused",
        "recorded",
        "recorded",
        "refused",
    ]


# --- once, and to the end


def test_the_same_key_is_the_same_import_and_with_another_file_a_conflict(stocked: World) -> None:
    text = file_of([("INBOUND", "WH-1", "A", 1)])
    first = send(stocked, text, key="k")
    record(stocked, first.json["id"])

    again = send(stocked, text, key="k")
    record(stocked, again.json["id"])

    assert (again.status, again.json, again.headers["x-idempotent-replay"]) == (202, first.json, "true")
    assert shop.level(stocked, "A")[0] == 1
    for answer in (send(stocked, text + "\n", key="k"), send(stocked, text, key="k", dryRun="true")):
        assert (answer.status, answer.json["detail"]) == (409, "stock-idempotency-conflict")
    other = send(stocked, text, key="k", user="manager-2")
    assert (other.status, other.json["id"] != first.json["id"]) == (202, True)


@pytest.mark.parametrize("dry_run", ["false", "true"])
def test_an_import_that_is_cut_off_goes_on_where_it_ended(stocked: World, monkeypatch: pytest.MonkeyPatch, dry_run: str) -> None:
    monkeypatch.setattr(sheet, "ROWS_OF_A_PIECE", 3)
    rows = [("INBOUND" if number % 4 else "OUTBOUND", "WH-1", "ABC"[number % 3], 2, "", f"{number // 2}") for number in range(20)]
    answer = send(stocked, file_of(rows), dryRun=dry_run)
    # Every sixth time it looks, there is no time left.
    monkeypatch.setattr(importing, "deadline", SimpleNamespace(remaining=cycle((99, 99, 99, 99, 99, 0)).__next__))
    runs = 0
    while not stocked.invoke("stock/record_import", {"import_id": answer.json["id"]})["finished"]:
        runs += 1
        assert runs < 50

    assert runs >= 1
    found = progress(stocked, answer.json["id"])
    assert (found["status"], found["pending"], found["accepted"] + found["refused"]) == ("completed", 0, 20)
    whole = imported(stocked, rows, dryRun="true") if dry_run == "true" else None
    if whole:
        assert [row["status"] for row in found["content"]] == [row["status"] for row in whole["content"]]
    else:
        moved = sum(line["quantity"] for event in events(stocked) for line in event["lines"])
        assert moved == sum(shop.level(stocked, sku)[0] for sku in "ABC")
        assert sum(len(event["lines"]) for event in events(stocked)) == found["accepted"]


def test_a_run_with_no_time_left_records_nothing_and_says_so(stocked: World) -> None:
    answer = send(stocked, file_of([("INBOUND", "WH-1", "A", 1)]))

    told = stocked.invoke("stock/record_import", {"import_id": answer.json["id"]}, Context(milliseconds=5_000))

    assert told == {"finished": False}
    assert progress(stocked, answer.json["id"])["pending"] == 1


def test_an_import_whose_start_was_lost_is_started_again_when_it_is_late(stocked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = send(stocked, file_of([("INBOUND", "WH-1", "A", 1)]))
    assert stocked.invoke("stock/resume_imports", {}) == {"resumed": 0}

    late = clock.parse("2999-01-01T00:00:00Z")
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: late)
        assert stocked.invoke("stock/resume_imports", {}) == {"resumed": 1}
        assert stocked.invoke("stock/resume_imports", {}) == {"resumed": 0}
    record(stocked, answer.json["id"])
    monkeypatch.setattr(clock, "now", lambda: clock.parse("2999-01-02T00:00:00Z"))
    assert stocked.invoke("stock/resume_imports", {}) == {"resumed": 0}


def test_what_is_no_import_is_finished(world: World) -> None:
    assert world.invoke("stock/record_import", {"import_id": ids.new()}) == {"finished": True}


def test_rows_are_told_page_by_page(stocked: World) -> None:
    found = imported(stocked, [("INBOUND", "WH-1", "A", 1) for _ in range(MAX_SIZE + 5)])

    rest = progress(stocked, found["id"], next_token=found["next_token"])

    assert [row["line"] for row in (*found["content"], *rest["content"])] == list(range(2, MAX_SIZE + 7))
    assert (found["totalElements"], rest["next_token"]) == (MAX_SIZE + 5, None)


def test_a_row_costs_a_little_more_than_a_line_of_a_stock_event(stocked: World) -> None:
    skus = [f"A-SKU-AS-LONG-AS-THEY-ARE-{number:04}" for number in range(MAX_LINES)]
    for sku in skus:
        shop.stock(stocked, 1, sku)
    answer = send(stocked, file_of(("INBOUND", "WH-1", sku, 5, "PURCHASE", "Delivery") for sku in skus))

    with metered() as meter:
        record(stocked, answer.json["id"])
    with metered() as told:
        progress(stocked, answer.json["id"])

    assert meter.total <= 2.2 * MAX_LINES
    assert told.read <= 2
