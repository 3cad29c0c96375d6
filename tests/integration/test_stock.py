"""Warehouses, variants, and movements of stock (contract: stock-events.md)."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.behind import Behind
from tests.integration.scene import Json, Scene, line, refused, unique

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
EVENT = {
    "id",
    "type",
    "warehouseId",
    "warehouseCode",
    "occurredAt",
    "reasonCode",
    "notes",
    "createdById",
    "createdByUsername",
    "createdAt",
    "lines",
}
PAST = "2020-01-01T00:00:00Z"


# Warehouses and variants


def test_a_manager_opens_a_warehouse_once(scene: Scene) -> None:
    wanted = {"code": unique("WH"), "name": "S\u00e3o Paulo", "sellerIds": ["seller-1"]}
    answer = scene.manager.post("/api/v1/warehouses", wanted)
    assert answer.status_code == 201
    assert UUID(answer.json()["id"])
    assert answer.json() == wanted | {"id": answer.json()["id"], "active": True}
    refused(scene.manager.post("/api/v1/warehouses", wanted | {"name": "Another"}), 409)


def test_a_manager_lists_a_variant_once(scene: Scene) -> None:
    wanted = {"sku": unique("SKU"), "name": "Desk lamp", "active": True, "expiresAt": "2030-01-01T00:00:00.000Z"}
    answer = scene.manager.post("/api/v1/variants", wanted)
    assert answer.status_code == 201
    assert answer.json() == wanted | {"id": answer.json()["id"], "shards": 1}
    refused(scene.manager.post("/api/v1/variants", wanted | {"name": "Another"}), 409)


def test_of_two_who_list_a_variant_at_the_same_moment_one_does(scene: Scene) -> None:
    wanted = {"sku": unique("SKU"), "name": "Desk lamp"}
    with ThreadPoolExecutor(2) as managers:
        sent = [managers.submit(scene.manager.post, "/api/v1/variants", wanted) for _ in range(2)]
        assert sorted(each.result().status_code for each in sent) == [201, 409]


@pytest.mark.parametrize("role", ["buyer", "seller", "operator"])
def test_only_managers_and_admins_keep_the_catalogue(scene: Scene, role: str) -> None:
    caller = scene.caller(role)
    refused(caller.post("/api/v1/warehouses", {"code": unique("WH"), "name": "x"}), 403)
    refused(caller.post("/api/v1/variants", {"sku": unique("SKU"), "name": "x"}), 403)
    assert scene.admin.post("/api/v1/variants", {"sku": unique("SKU"), "name": "x"}).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": ""},
        {"code": "A B"},
        {"code": "x" * 65},
        {"code": None},
        {"name": ""},
        {"name": 7},
        {"name": "a\nb"},
        {"sellerIds": "seller-1"},
        {"sellerIds": ["x"] * 101},
        {"sellerIds": [""]},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_a_warehouse_that_makes_no_sense_is_refused(scene: Scene, wrong: Json) -> None:
    answer = scene.manager.post("/api/v1/warehouses", {"code": unique("WH"), "name": "Warehouse"} | wrong)
    assert refused(answer, 400)["detail"] == "invalid payload"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sku": ""},
        {"sku": "caf\u00e9"},
        {"sku": "x" * 65},
        {"name": None},
        {"active": "yes"},
        {"expiresAt": "tomorrow"},
        {"expiresAt": "2030-01-01T00:00:00"},
        {"expiresAt": "0001-01-01T00:00:00+01:00"},
    ],
    ids=str,
)
def test_a_variant_that_makes_no_sense_is_refused(scene: Scene, wrong: Json) -> None:
    answer = scene.manager.post("/api/v1/variants", {"sku": unique("SKU"), "name": "Desk lamp"} | wrong)
    assert refused(answer, 400)["detail"] == "invalid payload"


# Movements


def test_a_movement_is_answered_as_the_contract_shows_it(scene: Scene) -> None:
    article = scene.variant()
    more = {"reasonCode": "PURCHASE", "notes": "Supplier restock", "occurredAt": "2025-02-10T08:00:00Z"}
    answer = scene.move(scene.manager, "INBOUND", article, 25, **more)
    assert answer.status_code == 201
    event = answer.json()
    (moved,) = event["lines"]
    assert event.keys() == EVENT
    assert UUID(event["id"])
    assert UUID(moved["id"])
    assert moved == {"id": moved["id"], "variantId": article.variant_id, "variantSku": article.sku, "quantity": 25}
    assert (event["type"], event["reasonCode"], event["notes"]) == ("INBOUND", "PURCHASE", "Supplier restock")
    assert (event["warehouseId"], event["occurredAt"]) == (article.warehouse_id, "2025-02-10T08:00:00.000Z")
    assert (event["createdById"], event["createdByUsername"]) == (scene.manager.user_id, scene.manager.user_id)
    assert MOMENT.fullmatch(event["createdAt"])


def test_what_the_contract_leaves_open_is_null_or_now(scene: Scene) -> None:
    event = scene.move(scene.manager, "INBOUND", scene.variant(), 1).json()
    assert (event["reasonCode"], event["notes"]) == (None, None)
    assert event["occurredAt"] == event["createdAt"]


def test_levels_follow_the_movements(scene: Scene) -> None:
    article = scene.variant()
    assert scene.level(article) == (0, 0, 0)
    for kind, quantity, then, signed in (
        ("INBOUND", 25, 25, 25),
        ("OUTBOUND", 5, 20, -5),
        ("ADJUST", -8, 12, -8),
        ("ADJUST", 3, 15, 3),
        ("OUTBOUND", 15, 0, -15),
    ):
        answer = scene.move(scene.manager, kind, article, quantity)
        assert answer.json()["lines"][0]["quantity"] == signed
        assert scene.level(article) == (then, 0, then)


def test_a_variant_has_a_level_in_every_warehouse_that_has_had_it(scene: Scene) -> None:
    article = scene.article(7)
    elsewhere = scene.warehouse()
    assert scene.move(scene.manager, "INBOUND", article, 3, warehouseId=elsewhere).status_code == 201
    items = scene.manager.get(f"/api/v1/variants/{article.variant_id}/levels").json()["items"]
    assert sorted(items, key=lambda item: int(item["onHand"])) == [
        {"warehouseId": elsewhere, "onHand": 3, "reserved": 0, "available": 3},
        {"warehouseId": article.warehouse_id, "onHand": 7, "reserved": 0, "available": 7},
    ]


def test_an_order_is_served_from_several_warehouses_where_no_one_has_everything(scene: Scene, behind: Behind) -> None:
    article = scene.article(3)
    assert scene.move(scene.manager, "INBOUND", article, 2, warehouseId=scene.warehouse()).status_code == 201
    order = scene.order(line(article, 5))
    behind.settle(order.order_id)
    assert scene.read(order)["status"] == "confirmed"
    assert scene.level(article) == (0, 0, 0)
    assert scene.cancel(order).status_code == 200
    behind.settle(order.order_id, runs=2)
    assert scene.level(article) == (5, 0, 5)


@pytest.mark.parametrize(("kind", "quantity"), [("OUTBOUND", 11), ("ADJUST", -11)])
def test_stock_never_goes_below_zero(scene: Scene, kind: str, quantity: int) -> None:
    article = scene.article(10)
    answer = refused(scene.move(scene.manager, kind, article, quantity), 400)
    assert (answer["error_code"], answer["detail"]) == ("INSUFFICIENT_STOCK", "stock-insufficient")
    assert scene.level(article) == (10, 0, 10)


def test_of_many_who_take_the_last_units_at_the_same_moment_few_enough_do(scene: Scene) -> None:
    article = scene.article(3)
    with ThreadPoolExecutor(6) as managers:
        sent = [managers.submit(scene.move, scene.manager, "OUTBOUND", article, 1) for _ in range(6)]
        assert sorted(each.result().status_code for each in sent) == [201, 201, 201, 400, 400, 400]
    assert scene.level(article) == (0, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": []},
        {"lines": None},
        {"lines": [{"quantity": 1}]},
        {"type": "TRANSFER"},
        {"type": None},
        {"warehouseId": "WH-1"},
        {"occurredAt": "soon"},
        {"occurredAt": "9999-12-31T00:00:00Z"},
        {"occurredAt": "9999-12-31T23:59:59-01:00"},
        {"reasonCode": "BECAUSE"},
        {"notes": "x" * 501},
        {"notes": 5},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_a_movement_that_makes_no_sense_is_refused(scene: Scene, wrong: Json) -> None:
    answer = scene.move(scene.manager, "INBOUND", scene.plenty, 1, **wrong)
    assert refused(answer, 400)["detail"] == "invalid payload"


@pytest.mark.parametrize(
    ("kind", "quantity"),
    [
        ("INBOUND", 0),
        ("INBOUND", -1),
        ("OUTBOUND", 0),
        ("OUTBOUND", -1),
        ("ADJUST", 0),
        ("INBOUND", 1.5),
        ("INBOUND", "1"),
        ("INBOUND", True),
        ("INBOUND", 10**9 + 1),
        ("ADJUST", -(10**30)),
    ],
)
def test_a_quantity_fits_its_type(scene: Scene, kind: str, quantity: Any) -> None:
    assert refused(scene.move(scene.manager, kind, scene.plenty, quantity), 400)["detail"] == "invalid payload"


def test_a_variant_appears_in_one_line_only(scene: Scene) -> None:
    article = scene.variant()
    lines = [{"variantId": article.variant_id, "quantity": quantity} for quantity in (1, 2)]
    refused(scene.move(scene.manager, "INBOUND", article, 1, lines=lines), 400)
    assert scene.level(article) == (0, 0, 0)


def test_a_movement_is_whole_or_not_at_all(scene: Scene) -> None:
    enough, short = scene.article(5), scene.article(1)
    lines = [{"variantId": article.variant_id, "quantity": 3} for article in (enough, short)]
    refused(scene.move(scene.manager, "OUTBOUND", enough, 0, lines=lines), 400)
    assert (scene.level(enough), scene.level(short)) == ((5, 0, 5), (1, 0, 1))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("INBOUND", "SALE"), ("INBOUND", "DAMAGE"), ("OUTBOUND", "PURCHASE"), ("ADJUST", "SALE"), ("ADJUST", "PURCHASE")],
)
def test_a_reason_fits_its_type(scene: Scene, kind: str, reason: str) -> None:
    refused(scene.move(scene.manager, kind, scene.plenty, 1, reasonCode=reason), 400)


def test_an_inactive_variant_does_not_move(scene: Scene) -> None:
    refused(scene.move(scene.manager, "INBOUND", scene.variant(active=False), 1), 400)


def test_expired_goods_are_only_counted_or_thrown_away(scene: Scene) -> None:
    expired = scene.variant(expiresAt=PAST)
    refused(scene.move(scene.manager, "INBOUND", expired, 1), 400)
    assert scene.move(scene.manager, "ADJUST", expired, 5, reasonCode="COUNT_CORRECTION").status_code == 201
    refused(scene.move(scene.manager, "OUTBOUND", expired, 1, reasonCode="SALE"), 400)
    refused(scene.move(scene.manager, "OUTBOUND", expired, 1), 400)
    assert scene.move(scene.manager, "OUTBOUND", expired, 2, reasonCode="DISCARD_EXPIRED").status_code == 201
    assert scene.move(scene.manager, "OUTBOUND", expired, 1, reasonCode="DAMAGE").status_code == 201
    assert scene.level(expired) == (2, 0, 2)


def test_what_is_not_there_is_named(scene: Scene) -> None:
    article = scene.variant()
    nowhere = scene.move(scene.manager, "INBOUND", article, 1, warehouseId=str(uuid4()))
    assert refused(nowhere, 404)["detail"] == "stock-warehouse-not-found"
    nothing = scene.move(scene.manager, "INBOUND", article, 1, lines=[{"variantId": str(uuid4()), "quantity": 1}])
    assert refused(nothing, 404)["detail"] == "stock-variant-not-found"
    for variant_id in (str(uuid4()), "x", "%00", "x" * 3000):
        answer = scene.manager.get(f"/api/v1/variants/{variant_id}/levels")
        assert refused(answer, 404)["detail"] == "stock-variant-not-found"


# Who may


def test_a_seller_moves_stock_only_where_the_warehouse_names_him(scene: Scene) -> None:
    article, seller = scene.variant(), scene.caller("seller")
    his = scene.warehouse(sellers=(seller.user_id,))
    assert scene.move(seller, "INBOUND", article, 1, warehouseId=his).status_code == 201
    answer = refused(scene.move(seller, "INBOUND", article, 1), 403)
    assert (answer["detail"], answer["error_code"]) == ("Forbidden", "WAREHOUSE_FORBIDDEN")
    assert scene.level(article) == (1, 0, 1)


def test_a_seller_who_is_a_manager_too_moves_stock_everywhere(scene: Scene) -> None:
    assert scene.move(scene.caller("seller", "manager"), "INBOUND", scene.plenty, 1).status_code == 201


@pytest.mark.parametrize("role", ["buyer", "operator"])
def test_others_move_no_stock(scene: Scene, role: str) -> None:
    assert refused(scene.move(scene.caller(role), "INBOUND", scene.plenty, 1), 403)["detail"] == "Forbidden"


def test_a_buyer_sees_no_levels(scene: Scene) -> None:
    path = f"/api/v1/variants/{scene.plenty.variant_id}/levels"
    refused(scene.buyer.get(path), 403)
    for caller in (scene.caller("seller"), scene.operator, scene.admin):
        assert caller.get(path).status_code == 200


# Idempotency


def test_a_movement_under_a_key_happens_once(scene: Scene) -> None:
    article, key = scene.variant(), unique("key")
    body = {
        "type": "INBOUND",
        "warehouseId": article.warehouse_id,
        "lines": [{"variantId": article.variant_id, "quantity": 4}],
    }
    first, again = (scene.manager.post("/api/v1/stock-events", body, Idempotency_Key=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "x-idempotent-replay" not in first.headers
    assert again.headers["x-idempotent-replay"] == "true"
    other = scene.manager.post("/api/v1/stock-events", body | {"notes": "other"}, Idempotency_Key=key)
    assert refused(other, 409)["detail"] == "stock-idempotency-conflict"
    assert scene.level(article) == (4, 0, 4)


def test_a_replay_has_its_first_answer_also_when_the_stock_has_gone_since(scene: Scene) -> None:
    article, key = scene.article(4), unique("key")
    body = {
        "type": "OUTBOUND",
        "warehouseId": article.warehouse_id,
        "lines": [{"variantId": article.variant_id, "quantity": 3}],
    }
    first, again = (scene.manager.post("/api/v1/stock-events", body, Idempotency_Key=key) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    assert scene.level(article) == (1, 0, 1)


def test_without_a_key_every_request_is_a_movement(scene: Scene) -> None:
    article = scene.variant()
    for _ in range(2):
        assert scene.move(scene.manager, "INBOUND", article, 4).status_code == 201
    assert scene.level(article) == (8, 0, 8)


def test_two_at_the_same_moment_with_one_key_are_one_movement(scene: Scene) -> None:
    article, key = scene.variant(), unique("key")
    body = {
        "type": "INBOUND",
        "warehouseId": article.warehouse_id,
        "lines": [{"variantId": article.variant_id, "quantity": 4}],
    }
    with ThreadPoolExecutor(4) as managers:
        sent = [managers.submit(scene.manager.post, "/api/v1/stock-events", body, Idempotency_Key=key) for _ in range(4)]
        answers = [each.result() for each in sent]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert scene.level(article) == (4, 0, 4)


def test_a_key_that_is_none_is_refused(scene: Scene) -> None:
    for key in ("", "x" * 256):
        refused(scene.manager.post("/api/v1/stock-events", {}, Idempotency_Key=key), 400)
