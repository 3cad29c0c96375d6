"""Warehouses, variants and transfers over HTTP, as a manager and a seller use them."""

import httpx

from tests.integration.behind import Behind
from tests.integration.scene import Caller, Json, Scene, line, refused, unique

MERGE_PATCH = "application/merge-patch+json"


def patch(caller: Caller, path: str, body: Json, **headers: str) -> httpx.Response:
    return caller.http.patch(path, json=body, headers={"Content-Type": MERGE_PATCH, **headers})


def codes(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each.get("code") or each.get("sku") or each["variantSku"] for each in answer.json()["content"]]


def test_a_variant_is_read_changed_and_not_changed_by_whoever_read_it_before(scene: Scene) -> None:
    path = f"/api/v1/variants/{scene.variant().variant_id}"
    read = scene.manager.get(path)

    changed = patch(scene.manager, path, {"name": "Floor lamp"}, **{"If-Match": read.headers["etag"]})
    late = patch(scene.manager, path, {"name": "Ceiling lamp"}, **{"If-Match": read.headers["etag"]})

    assert (changed.status_code, changed.json()) == (200, read.json() | {"name": "Floor lamp"})
    assert refused(late, 412)["error_code"] == "PRECONDITION_FAILED"
    assert scene.manager.get(path).headers["etag"] == changed.headers["etag"] != read.headers["etag"]


def test_lists_are_filtered_and_paged(scene: Scene) -> None:
    prefix = unique("LIST")
    for number in range(3):
        scene.variant(f"{prefix}-{number}", active=number != 1)

    first = scene.manager.get("/api/v1/variants", sku=prefix, size=2)
    rest = scene.manager.get("/api/v1/variants", sku=prefix, size=2, next_token=first.json()["next_token"])

    assert (codes(first), codes(rest)) == ([f"{prefix}-0", f"{prefix}-1"], [f"{prefix}-2"])
    assert (first.json()["totalElements"], first.json()["totalPages"], rest.json()["next_token"]) == (3, 2, None)
    assert codes(scene.manager.get("/api/v1/variants", sku=prefix, active="false")) == [f"{prefix}-1"]


def test_a_seller_sees_and_moves_what_is_theirs_until_they_are_removed(scene: Scene) -> None:
    seller, article = scene.caller("seller"), scene.article(5)
    mine = scene.warehouse()
    path = f"/api/v1/warehouses/{mine}/sellers/{seller.user_id}"
    assert scene.manager.http.put(path).json()["sellerIds"] == [seller.user_id]

    assert scene.move(seller, "INBOUND", article, 3, warehouseId=mine).status_code == 201
    assert [each["id"] for each in seller.get("/api/v1/warehouses").json()["content"]] == [mine]
    assert codes(seller.get(f"/api/v1/warehouses/{mine}/levels")) == [article.sku]
    items = seller.get(f"/api/v1/variants/{article.variant_id}/levels").json()["items"]
    assert [each["warehouseId"] for each in items] == [mine]
    for path_of_others in ("", "/levels"):
        refused(seller.get(f"/api/v1/warehouses/{article.warehouse_id}{path_of_others}"), 404)

    assert scene.manager.http.delete(path).json()["sellerIds"] == []
    refused(seller.get(f"/api/v1/warehouses/{mine}"), 404)


def test_no_order_is_served_from_a_closed_warehouse_until_it_is_open_again(scene: Scene, behind: Behind) -> None:
    article = scene.article(5)
    path = f"/api/v1/warehouses/{article.warehouse_id}"
    assert patch(scene.manager, path, {"active": False}).json()["active"] is False
    too_late = scene.order(line(article))
    assert refused(scene.move(scene.manager, "INBOUND", article, 1), 400)["detail"] == "invalid payload"
    behind.settle(too_late.order_id)

    assert patch(scene.manager, path, {"active": True}).status_code == 200
    in_time = scene.order(line(article))
    behind.settle(in_time.order_id)

    assert [scene.read(each)["status"] for each in (too_late, in_time)] == ["failed", "confirmed"]


def test_a_transfer_moves_stock_that_is_then_sold_from_there(scene: Scene, behind: Behind) -> None:
    article, target = scene.article(5), scene.warehouse()
    lines = [{"variantId": article.variant_id, "quantity": 5}]
    body = {"fromWarehouseId": article.warehouse_id, "toWarehouseId": target, "lines": lines}
    key = unique("key")

    answers = [scene.manager.post("/api/v1/stock-transfers", body, Idempotency_Key=key) for _ in range(2)]

    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["outbound"]["transferId"] == answers[0].json()["inbound"]["transferId"]
    order = scene.order(line(article, 5))
    behind.settle(order.order_id)
    assert scene.read(order)["status"] == "confirmed"
    refused(scene.manager.post("/api/v1/stock-transfers", body), 400)


def test_a_variant_is_sold_from_shards_and_then_counted_in_one_again(scene: Scene, behind: Behind) -> None:
    article = scene.article(5)
    path = f"/api/v1/variants/{article.variant_id}"
    assert patch(scene.manager, path, {"shards": 4}).json()["shards"] == 4

    sold = scene.order(line(article, quantity=4))
    behind.settle(sold.order_id)
    short = scene.order(line(article, quantity=2))
    behind.settle(short.order_id)

    assert (scene.read(sold)["status"], scene.read(short)["status"]) == ("confirmed", "failed")
    assert scene.level(article) == (1, 0, 1)
    assert patch(scene.manager, path, {"shards": 1}).json()["shards"] == 1
    assert scene.level(article) == (1, 0, 1)
