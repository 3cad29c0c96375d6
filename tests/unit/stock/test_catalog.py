"""Warehouses and variants: looked at, listed, changed, deactivated."""

from typing import Any

import pytest

from tests import shop
from tests.world import Answer, World
from tillflow.contexts.stock import tables
from tillflow.contexts.stock.models import MAX_SELLERS
from tillflow.runtime import aws
from tillflow.values import ids
from tillflow.web import numbered, paging

WAREHOUSES, VARIANTS = "/api/v1/warehouses", "/api/v1/variants"
MANAGER: dict[str, Any] = {"roles": ["manager"]}
SELLER: dict[str, Any] = {"user": "seller-1", "roles": ["seller"]}


def get(world: World, path: str, thing: str, **parts: Any) -> Answer:
    return world.call(f"GET {path}/{{id}}", path={"id": thing}, **(MANAGER | parts))


def patch(world: World, path: str, thing: str, body: object, etag: str | None = None, **parts: Any) -> Answer:
    headers = {"If-Match": etag} if etag else {}
    return world.call(f"PATCH {path}/{{id}}", path={"id": thing}, body=body, headers=headers, **(MANAGER | parts))


def listed(world: World, path: str, who: dict[str, Any] = MANAGER, **query: str) -> Answer:
    return world.call(f"GET {path}", query=query, **who)


def names(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [each.get("code") or each.get("sku") or each["variantSku"] for each in answer.json["content"]]


def seller(world: World, method: str, warehouse: str, user: str, **parts: Any) -> Answer:
    route = f"{method} {WAREHOUSES}/{{id}}/sellers/{{userId}}"
    return world.call(route, path={"id": warehouse, "userId": user}, **(MANAGER | parts))


def stock_levels(world: World, warehouse: str, who: dict[str, Any] = MANAGER, **query: str) -> Answer:
    return world.call(f"GET {WAREHOUSES}/{{id}}/levels", path={"id": warehouse}, query=query, **who)


# --- one ------------------------------------------------------------------------------------------------------------


def test_what_was_created_is_shown_with_its_version(world: World) -> None:
    body = {"code": "A", "name": "Alpha", "active": True, "sellerIds": ["seller-1"]}
    made = world.call(f"POST {WAREHOUSES}", body=body, **MANAGER).json

    answer = get(world, WAREHOUSES, made["id"])

    assert (answer.status, answer.json, answer.headers["ETag"]) == (200, made, '"1"')
    assert made == body | {"id": made["id"]}


@pytest.mark.parametrize(("path", "detail"), [(WAREHOUSES, "stock-warehouse-not-found"), (VARIANTS, "stock-variant-not-found")])
def test_what_is_not_there_is_not_found(world: World, path: str, detail: str) -> None:
    for answer in (get(world, path, ids.new()), patch(world, path, ids.new(), {"name": "x"})):
        assert (answer.status, answer.json["detail"]) == (404, detail)


# --- change ---------------------------------------------------------------------------------------------------------


def test_a_merge_patch_changes_what_it_names_and_null_takes_away(world: World) -> None:
    variant = shop.variant(world, "A", expiresAt="2030-01-01T00:00:00Z")

    renamed = patch(world, VARIANTS, variant, {"name": "Lamp"})
    kept = patch(world, VARIANTS, variant, {"expiresAt": None})

    assert (renamed.status, renamed.json["name"], renamed.json["expiresAt"]) == (200, "Lamp", "2030-01-01T00:00:00.000Z")
    assert (kept.json["name"], kept.json["expiresAt"], kept.headers["ETag"]) == ("Lamp", None, '"3"')
    assert get(world, VARIANTS, variant).json == kept.json


@pytest.mark.parametrize("path", [WAREHOUSES, VARIANTS])
def test_a_change_of_what_has_changed_since_is_refused(world: World, path: str) -> None:
    thing = shop.warehouse(world) if path == WAREHOUSES else shop.variant(world)

    first = patch(world, path, thing, {"name": "First"}, '"1"')
    second = patch(world, path, thing, {"name": "Second"}, '"1"')

    assert (first.status, first.headers["ETag"]) == (200, '"2"')
    assert (second.status, second.json["error_code"]) == (412, "PRECONDITION_FAILED")
    assert get(world, path, thing).json["name"] == "First"


@pytest.mark.parametrize(("etag", "status"), [("*", 200), ('"7", "1"', 200), ('W/"1"', 412), ("1", 412), ('"0"', 412), ("", 412)])
def test_if_match_names_versions_as_rfc_9110_has_it(world: World, etag: str, status: int) -> None:
    headers = {"If-Match": etag}
    path = {"id": shop.variant(world)}

    answer = world.call(f"PATCH {VARIANTS}/{{id}}", path=path, body={"name": "x"}, headers=headers, **MANAGER)

    assert answer.status == status


def test_a_patch_that_changes_nothing_writes_nothing(world: World) -> None:
    variant = shop.variant(world)

    assert patch(world, VARIANTS, variant, {}).headers["ETag"] == '"1"'
    assert patch(world, VARIANTS, variant, {"active": True}).headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    "body",
    [{"name": None}, {"name": ""}, {"sku": "B"}, {"active": "no"}, {"active": None}, {"shards": None}, {"expiresAt": 1}, [], "x"],
    ids=str,
)
def test_a_patch_that_makes_no_sense_is_refused_with_400(world: World, body: object) -> None:
    answer = patch(world, VARIANTS, shop.variant(world), body)

    assert (answer.status, answer.json["detail"]) == (400, "invalid payload")


def test_of_two_changes_at_the_same_moment_none_is_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    variant, client = shop.variant(world), aws.client("dynamodb")
    update, others = client.update_item, [{"name": "Other"}]

    def interrupted(**request: Any) -> Any:
        if others:
            assert patch(world, VARIANTS, variant, others.pop()).status == 200
        return update(**request)

    monkeypatch.setattr(client, "update_item", interrupted)

    answer = patch(world, VARIANTS, variant, {"active": False})

    assert (answer.json["name"], answer.json["active"], answer.headers["ETag"]) == ("Other", False, '"3"')


# --- deactivation ---------------------------------------------------------------------------------------------------


def test_what_a_reservation_holds_is_sold_also_when_variant_and_warehouse_are_deactivated(world: World) -> None:
    shop.stock(world, 5)
    sold, returned = shop.order(world), shop.order(world)
    for order in (sold, returned):
        world.step("reserve_stock", order)

    patch(world, VARIANTS, shop.variant(world), {"active": False})
    patch(world, WAREHOUSES, shop.warehouse(world), {"active": False})

    for step in ("charge_payment", "complete_order"):
        world.step(step, sold)
    for step in ("fail_order", "refund_payment", "release_stock"):
        world.step(step, returned)
    assert shop.level(world) == (4, 0, 4)


def test_a_deactivated_variant_is_not_sold_and_does_not_move(world: World) -> None:
    shop.stock(world, 5)
    patch(world, VARIANTS, shop.variant(world), {"active": False})

    assert shop.move(world, 1).status == 400
    with pytest.raises(Exception, match="VARIANT_INACTIVE"):
        world.step("reserve_stock", shop.order(world))


def test_nothing_moves_in_a_deactivated_warehouse_until_it_is_active_again(world: World) -> None:
    warehouse = shop.warehouse(world)
    patch(world, WAREHOUSES, warehouse, {"active": False})
    refused = shop.move(world, 1)
    patch(world, WAREHOUSES, warehouse, {"active": True})

    assert (refused.status, shop.move(world, 1).status) == (400, 201)


def forged(*place: str) -> str:
    """Return the token that anybody can compute, of a list of all variants."""
    return paging.token(place, ("variants", None, None))


# --- lists ----------------------------------------------------------------------------------------------------------


def test_lists_are_in_order_and_filtered_by_prefix_and_activity(world: World) -> None:
    for sku in ("B-2", "A-1", "B-1", "B"):
        shop.variant(world, sku)
    patch(world, VARIANTS, ids.derived("variant", "B-1"), {"active": False})

    assert names(listed(world, VARIANTS)) == ["A-1", "B", "B-1", "B-2"]
    assert names(listed(world, VARIANTS, sku="B-")) == ["B-1", "B-2"]
    assert names(listed(world, VARIANTS, sku="B", active="true")) == ["B", "B-2"]
    assert names(listed(world, VARIANTS, active="false")) == ["B-1"]
    assert names(listed(world, VARIANTS, sku="C")) == []


def test_a_page_tells_how_many_there_are_and_where_it_goes_on(world: World) -> None:
    for number in range(5):
        shop.warehouse(world, f"W{number}")
    shop.warehouse(world, "X")

    pages = [listed(world, WAREHOUSES, code="W", size="2", page=str(page)) for page in range(4)]

    assert [names(page) for page in pages] == [["W0", "W1"], ["W2", "W3"], ["W4"], []]
    assert {(page.json["totalElements"], page.json["totalRelation"], page.json["totalPages"]) for page in pages} == {(5, "eq", 3)}
    assert [bool(page.json["next_token"]) for page in pages] == [True, True, False, False]


def test_a_token_goes_on_where_the_page_before_ended_and_needs_its_filters(world: World) -> None:
    for number in range(5):
        shop.variant(world, f"S{number}")
    page, found, numbers = listed(world, VARIANTS, sku="S", size="2"), [], []
    while True:
        found += names(page)
        numbers.append((page.json["page"], page.json["totalElements"]))
        token = page.json["next_token"]
        if token is None:
            break
        page = listed(world, VARIANTS, sku="S", size="2", next_token=token)
        other = listed(world, VARIANTS, sku="T", size="2", next_token=token)
        assert (other.status, other.json["detail"]) == (400, "invalid payload")

    assert found == [f"S{number}" for number in range(5)]
    assert numbers == [(0, 5), (1, 5), (2, 5)]


@pytest.mark.parametrize(
    "query",
    [{"page": "-1"}, {"size": "0"}, {"size": "101"}, {"page": "50"}, {"active": "maybe"}, {"sku": "a b"}, {"code": "A"}]
    + [{"next_token": sent} for sent in ("x", "bnVsbA==", "W10=", "WyIiLCAiIiwgMCwgMF0=", "\u00e9")]
    + [{"next_token": forged(*place)} for place in (("A", "1"), ("A", "-1", "5"), ("\u00e9", "1", "5"), ("A", "1", "x"))]
    + [{"next_token": forged("A", "1", "5"), "size": "20", "page": "1"}],
    ids=str,
)
def test_a_list_that_makes_no_sense_is_refused_with_400(world: World, query: dict[str, Any]) -> None:
    answer = listed(world, VARIANTS, **query)

    assert (answer.status, answer.json["detail"]) == (400, "invalid payload")


def test_what_is_beyond_the_last_that_is_counted_is_reached_by_a_token(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbered, "MAX_NUMBERED", 6)
    for number in range(8):
        shop.variant(world, f"N{number}")

    last = listed(world, VARIANTS, page="1", size="3")
    beyond = listed(world, VARIANTS, size="3", next_token=last.json["next_token"])

    assert (last.json["totalElements"], last.json["totalRelation"], last.json["totalPages"]) == (6, "gte", 2)
    assert names(beyond) == ["N6", "N7"]
    assert beyond.json["next_token"] is None


# --- sellers --------------------------------------------------------------------------------------------------------


def test_a_seller_is_named_and_removed(world: World) -> None:
    warehouse = shop.warehouse(world, "A")

    named = [seller(world, "PUT", warehouse, "seller-1") for _ in range(2)]
    assert [(each.status, each.json["sellerIds"], each.headers["ETag"]) for each in named] == [(200, ["seller-1"], '"2"')] * 2
    assert names(listed(world, WAREHOUSES, SELLER)) == ["A"]
    assert shop.move(world, 1, code="A", **SELLER).status == 201

    removed = [seller(world, "DELETE", warehouse, "seller-1") for _ in range(2)]
    assert [(each.status, each.json["sellerIds"]) for each in removed] == [(200, [])] * 2
    assert names(listed(world, WAREHOUSES, SELLER)) == []
    assert shop.move(world, 1, code="A", **SELLER).status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_seller_is_named_only_where_the_warehouse_is_as_it_was_read(world: World, method: str) -> None:
    warehouse = shop.warehouse(world, "A", ("seller-1",) if method == "DELETE" else ())

    stale = seller(world, method, warehouse, "seller-1", headers={"If-Match": '"99"'})
    fresh = seller(world, method, warehouse, "seller-1", headers={"If-Match": '"1"'})

    assert (stale.status, fresh.status) == (412, 200)


def test_a_seller_s_id_is_read_out_of_the_path_as_it_was_meant(world: World) -> None:
    warehouse = shop.warehouse(world, "A")

    assert seller(world, "PUT", warehouse, "ann%40example.com").json["sellerIds"] == ["ann@example.com"]
    assert seller(world, "PUT", warehouse, "a%0Ab").status == 400


def test_a_warehouse_names_so_many_sellers_and_no_more(world: World) -> None:
    many = [f"seller-{number}" for number in range(MAX_SELLERS)]
    body = {"code": "A", "name": "A", "sellerIds": many}
    headers = {"Idempotency-Key": "k"}
    made = world.call(f"POST {WAREHOUSES}", body=body, headers=headers, **MANAGER)

    answer = seller(world, "PUT", made.json["id"], "one-more")

    assert made.status == 201
    assert (answer.status, answer.json["error_code"]) == (400, "TOO_MANY_SELLERS")
    assert seller(world, "PUT", made.json["id"], many[0]).status == 200


def test_a_seller_sees_the_warehouses_that_name_them_and_no_other_seller(world: World) -> None:
    mine = shop.warehouse(world, "MINE", ("seller-1", "seller-2"))
    theirs = shop.warehouse(world, "THEIRS", ("seller-2",))

    assert names(listed(world, WAREHOUSES, SELLER)) == ["MINE"]
    assert get(world, WAREHOUSES, mine, **SELLER).json["sellerIds"] == ["seller-1"]
    for answer in (get(world, WAREHOUSES, theirs, **SELLER), stock_levels(world, theirs, SELLER)):
        assert (answer.status, answer.json["detail"]) == (404, "stock-warehouse-not-found")
    assert names(listed(world, WAREHOUSES, SELLER, active="false")) == names(listed(world, WAREHOUSES, SELLER, code="T")) == []


def test_a_seller_is_told_a_variant_s_levels_where_they_are_named_only(world: World) -> None:
    mine = shop.warehouse(world, "MINE", ("seller-1",))
    for code in ("MINE", "THEIRS"):
        shop.stock(world, 5, code=code)
    path = {"id": shop.variant(world)}

    told = world.call("GET /api/v1/variants/{id}/levels", path=path, **SELLER).json["items"]

    assert [level["warehouseId"] for level in told] == [mine]


# --- what a warehouse has -------------------------------------------------------------------------------------------


def test_a_warehouse_tells_what_it_has_ever_had(world: World) -> None:
    for sku, units in (("B", 5), ("A", 3), ("C", 1)):
        shop.stock(world, units, sku)
    shop.move(world, 1, "C", kind="OUTBOUND")
    shop.stock(world, 9, "D", code="ELSEWHERE")
    order = shop.order(world, shop.line("B", 2))
    world.step("reserve_stock", order)
    warehouse = shop.warehouse(world)

    content = stock_levels(world, warehouse).json["content"]

    assert content == [
        {"variantId": shop.variant(world, "A"), "variantSku": "A", "onHand": 3, "reserved": 0, "available": 3},
        {"variantId": shop.variant(world, "B"), "variantSku": "B", "onHand": 5, "reserved": 2, "available": 3},
        {"variantId": shop.variant(world, "C"), "variantSku": "C", "onHand": 0, "reserved": 0, "available": 0},
    ]
    assert names(stock_levels(world, warehouse, sku="B")) == ["B"]
    assert names(stock_levels(world, warehouse, size="1", page="2")) == ["C"]


def test_its_levels_are_told_at_once_and_once_whether_they_are_listed_by_then_or_not(world: World) -> None:
    for sku in ("A", "C", "E"):
        shop.stock(world, 1, sku)
    world.project()
    for sku in ("B", "C", "D"):
        shop.stock(world, 1, sku)
    shop.stock(world, 1, "F", code="ELSEWHERE")
    warehouse = shop.warehouse(world)

    for _ in range(2):
        answer = stock_levels(world, warehouse, size="3")
        assert (names(answer), answer.json["totalElements"]) == (["A", "B", "C"], 5)
        assert names(stock_levels(world, warehouse, size="3", next_token=answer.json["next_token"])) == ["D", "E"]
        assert names(stock_levels(world, warehouse, size="3", page="1")) == ["D", "E"]
        assert names(stock_levels(world, warehouse, sku="D")) == ["D"]
        world.project()


def test_what_lists_a_level_changes_nothing_else_of_it_and_tells_nothing_again(world: World) -> None:
    shop.stock(world, 5)
    path = {"id": shop.warehouse(world), "variantId": shop.variant(world)}
    route = "PUT /api/v1/warehouses/{id}/levels/{variantId}/reorder-point"
    assert world.call(route, path=path, body={"quantity": 4}, **MANAGER).status == 200
    shop.move(world, 3, kind="OUTBOUND")
    world.watch_levels()

    def level() -> dict[str, Any]:
        (found,) = [item for item in world.items("StockTable") if item["sk"].startswith("LEVEL#")]
        return {name: value for name, value in found.items() if name not in {"commit_token", "outbox"}}

    before, told = level(), len(world.events("StockLevelLow"))
    world.project()
    world.project()

    assert level() == before | tables.listed(tables.levels_listed(path["id"]), "SKU-1")
    assert len(world.events("StockLevelLow")) == told == 1


def test_a_level_comes_into_being_by_what_comes_in_alone(world: World) -> None:
    shop.variant(world)
    warehouse = shop.warehouse(world)
    for step in ("fail_order", "refund_payment", "release_stock"):
        world.step(step, shop.order(world))

    assert shop.move(world, 1, kind="OUTBOUND").status == 400
    assert names(stock_levels(world, warehouse)) == []
    assert shop.move(world, 1, kind="ADJUST").status == 201
    assert names(stock_levels(world, warehouse)) == ["SKU-1"]
