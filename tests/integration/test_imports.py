"""Importing stock events over HTTP, up to ten thousand rows, cut off or not (contract: stock-events.md)."""

import time
from collections.abc import Callable, Iterable
from uuid import uuid4

import pytest

from local.wait import until
from tests.integration.behind import Behind
from tests.integration.scene import Article, Caller, Json, Scene, refused, unique

IMPORT = "/api/v1/stock-events/import"
HEADING = "type,warehouseCode,sku,quantity,reasonCode,notes"
MOST = 10_000


def send(caller: Caller, rows: Iterable[str], *, key: str | None = None, heading: str = HEADING, dry: bool = False) -> Json:
    headers = {"Content-Type": "text/csv", "Idempotency-Key": key or str(uuid4())}
    text = "\r\n".join([heading, *rows, ""])
    answer = caller.http.post(IMPORT, content=text.encode(), headers=headers, params={"dryRun": str(dry).lower()})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def progress(caller: Caller, import_id: str, **query: str | int) -> Json:
    answer = caller.get(f"/api/v1/imports/{import_id}", **{"size": 100, **query})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def completed(caller: Caller, import_id: str) -> Json:
    def ended() -> Json | None:
        found = progress(caller, import_id)
        return found if found["status"] == "completed" else None

    return until(ended, seconds=240, what="the import's end")


@pytest.fixture(scope="module")
def code(scene: Scene) -> str:
    """The code of a warehouse."""
    answer = scene.manager.post("/api/v1/warehouses", {"code": unique("WH"), "name": "Imports", "sellerIds": []})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def test_a_file_is_recorded_row_by_row(scene: Scene, code: str) -> None:
    one, other = scene.variant(), scene.variant()
    rows = [
        f'INBOUND,{code},{one.sku},5,PURCHASE,"two pallets, one open"',
        f'INBOUND,{code},{other.sku},3,PURCHASE,"two pallets, one open"',
        f"OUTBOUND,{code},{one.sku},2,DAMAGE,",
        f"OUTBOUND,{code},{other.sku},9,DAMAGE,",
        f"INBOUND,{code},{unique('NONE')},1,,",
        f"INBOUND,{unique('NOWHERE')},{one.sku},1,,",
    ]

    found = completed(scene.manager, send(scene.manager, rows)["id"])

    told = [(row["line"], row["status"], row["error_code"]) for row in found["content"]]
    assert told == [
        (2, "recorded", None),
        (3, "recorded", None),
        (4, "recorded", None),
        (5, "refused", "INSUFFICIENT_STOCK"),
        (6, "refused", "VARIANT_NOT_FOUND"),
        (7, "refused", "WAREHOUSE_NOT_FOUND"),
    ]
    assert [scene.level(article)[0] for article in (one, other)] == [3, 3]
    delivery = scene.manager.get(f"/api/v1/stock-events/{found['content'][0]['stockEventId']}").json()
    assert [(each["variantSku"], each["quantity"]) for each in delivery["lines"]] == [(one.sku, 5), (other.sku, 3)]
    assert (delivery["notes"], delivery["createdById"]) == ("two pallets, one open", scene.manager.user_id)
    assert progress(scene.manager, found["id"], status="refused")["totalElements"] == 3


def test_a_dry_run_records_nothing(scene: Scene, code: str) -> None:
    article = scene.variant()
    rows = [f"INBOUND,{code},{article.sku},2,,", f"OUTBOUND,{code},{article.sku},2,,", f"OUTBOUND,{code},{article.sku},1,,"]

    found = completed(scene.manager, send(scene.manager, rows, dry=True)["id"])

    assert [row["status"] for row in found["content"]] == ["valid", "valid", "refused"]
    assert scene.level(article) == (0, 0, 0)


def test_the_same_key_is_the_same_import(scene: Scene, code: str) -> None:
    article, key = scene.variant(), unique("key")
    rows = [f"INBOUND,{code},{article.sku},2,,"]
    first = send(scene.manager, rows, key=key)
    completed(scene.manager, first["id"])

    assert send(scene.manager, rows, key=key) == first
    headers = {"Content-Type": "text/csv", "Idempotency-Key": key}
    other = scene.manager.http.post(IMPORT, content=f"{HEADING}\nINBOUND,{code},{article.sku},3,,\n", headers=headers)
    assert refused(other, 409)["detail"] == "stock-idempotency-conflict"
    assert scene.level(article)[0] == 2


def test_what_is_no_file_is_refused_and_so_is_whoever_may_not(scene: Scene) -> None:
    headers = {"Content-Type": "text/csv", "Idempotency-Key": unique("key")}
    for text in ("", "a,b\n1,2\n", f"{HEADING}\n"):
        assert refused(scene.manager.http.post(IMPORT, content=text, headers=headers), 400)["detail"] == "invalid payload"
    refused(scene.manager.http.post(IMPORT, content=f"{HEADING}\n", headers={"Content-Type": "text/csv"}), 400)
    refused(scene.manager.post(IMPORT, {"rows": []}, Idempotency_Key="k"), 400)
    for caller in (scene.buyer, scene.operator):
        refused(caller.http.post(IMPORT, content=f"{HEADING}\n", headers=headers), 403)
    refused(scene.manager.get(f"/api/v1/imports/{uuid4()}"), 404)


def test_a_seller_imports_where_they_are_named(scene: Scene, code: str) -> None:
    seller, article = scene.caller("seller"), scene.variant()
    own = scene.manager.post("/api/v1/warehouses", {"code": unique("WH"), "name": "Own", "sellerIds": [seller.user_id]}).json()

    found = completed(seller, send(seller, [f"INBOUND,{each},{article.sku},1,," for each in (own["code"], code)])["id"])

    assert [row["error_code"] for row in found["content"]] == [None, "WAREHOUSE_FORBIDDEN"]
    assert refused(scene.caller("seller").get(f"/api/v1/imports/{found['id']}"), 404)["detail"] == "stock-import-not-found"


def test_ten_thousand_rows_are_imported_though_they_are_cut_off(
    scene: Scene, behind: Behind, code: str, record_property: Callable[[str, object], None]
) -> None:
    """A run is ended half-way with its state machine's execution; the schedule's function is asked to go on."""
    articles: list[Article] = [scene.variant() for _ in range(100)]
    rows = [f"INBOUND,{code},{articles[number % 100].sku},1,PURCHASE,delivery {number // 100}" for number in range(MOST)]
    began = time.monotonic()

    sent = send(scene.manager, rows)
    taken = time.monotonic() - began
    until(lambda: progress(scene.manager, sent["id"], size=1)["accepted"] or None, seconds=60, what="the first rows")
    machine = scene.stack.state_machines["StockImport"]
    (running,) = scene.stack.aws.stepfunctions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    scene.stack.aws.stepfunctions.stop_execution(executionArn=running["executionArn"])
    behind.invoke("RecordImportFunction", {"import_id": sent["id"]})
    while not behind.invoke("RecordImportFunction", {"import_id": sent["id"]})["finished"]:
        pass
    found = completed(scene.manager, sent["id"])

    record_property("measured", f"{MOST:,} rows taken in within {taken:.1f} s, imported within {time.monotonic() - began:.1f} s")
    assert [found[name] for name in ("rows", "accepted", "refused", "pending")] == [MOST, MOST, 0, 0]
    assert {scene.level(article)[0] for article in articles[::10]} == {MOST // 100}
