"""Warehouses, variants, movements and levels over their handlers (contract: stock-events.md)."""

from typing import Any

import pytest

from tests import shop
from tests.world import Answer, World
from tillflow.values import ids

EVENTS = "POST /api/v1/stock-events"


def problem(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["detail"]


# --- warehouses and variants --------------------------------------------------------------------------------------


def test_a_warehouse_is_created_once_for_its_code(world: World) -> None:
    body = {"code": "WH-SAO-01", "name": "São Paulo", "sellerIds": ["seller-1"]}

    first, second = (world.call("POST /api/v1/warehouses", roles=["manager"], body=body) for _ in range(2))

    assert first.status == 201
    assert first.json == {"id": ids.derived("warehouse", "WH-SAO-01"), "active": True, **body}
    assert (second.status, second.json["error_code"], second.json["id"]) == (409, "ALREADY_EXISTS", first.json["id"])


def test_a_variant_is_created_once_for_its_sku(world: World) -> None:
    body = {"sku": "A", "name": "Thing", "expiresAt": "2030-01-01T02:00:00+02:00"}

    first, second = (world.call("POST /api/v1/variants", roles=["admin"], body=body) for _ in range(2))

    assert first.status == 201
    assert first.json == {
        "id": ids.derived("variant", "A"),
        "sku": "A",
        "name": "Thing",
        "active": True,
        "expiresAt": "2030-01-01T00:00:00.000Z",
        "shards": 1,
    }
    assert (second.status, second.json["error_code"], second.json["id"]) == (409, "ALREADY_EXISTS", first.json["id"])


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("POST /api/v1/warehouses", {"code": "A", "name": "A"}),
        ("POST /api/v1/variants", {"sku": "A", "name": "A", "expiresAt": "2030-01-01T00:00:00Z"}),
    ],
)
def test_under_a_key_a_creation_is_answered_again(world: World, route: str, body: dict[str, Any]) -> None:
    first, again = (world.call(route, roles=["admin"], body=body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    other = world.call(route, roles=["admin"], body=body | {"name": "B"}, headers={"Idempotency-Key": "k"})

    assert (first.status, "x-idempotent-replay" in first.headers) == (201, False)
    assert (again.status, again.headers["x-idempotent-replay"]) == (201, "true")
    assert again.json == first.json
    assert (other.status, other.json["error_code"]) == (409, "IDEMPOTENCY_CONFLICT")


@pytest.mark.parametrize("moment", [1_900_000_000, "1900000000", 1.9e12, "20300101", "2030-01-01T00:00:00"], ids=repr)
def test_a_moment_is_iso_8601_with_its_offset(world: World, moment: object) -> None:
    answer = world.call("POST /api/v1/variants", roles=["admin"], body={"sku": "A", "name": "A", "expiresAt": moment})

    assert answer.status == 400
    assert "expiresAt" in answer.json["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"expires_at": None}, "expires_at: There is no such field"),
        ({"sku": []}, "sku: Input should be a valid string"),
        ({"sku": "A B"}, "sku: String should have visible ASCII characters only, no spaces"),
        ({"expiresAt": 1}, "expiresAt: this is no moment in ISO 8601, e.g. 2026-01-31T12:00:00Z"),
    ],
    ids=str,
)
def test_a_refusal_names_the_field_in_the_words_of_json(world: World, body: dict[str, Any], message: str) -> None:
    answer = world.call("POST /api/v1/variants", roles=["admin"], body={"sku": "A", "name": "A"} | body)

    assert (answer.status, answer.json["message"]) == (400, message)


def test_an_id_in_upper_case_is_the_same_id(world: World) -> None:
    shop.stock(world, 5)
    path = {"id": shop.variant(world).upper()}

    assert world.call("GET /api/v1/variants/{id}/levels", roles=["manager"], path=path).status == 200


def test_a_variant_need_not_expire(world: World) -> None:
    assert world.call("POST /api/v1/variants", roles=["admin"], body={"sku": "A", "name": "A"}).json["expiresAt"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"sku": ""},
        {"sku": "a b"},
        {"sku": "x" * 65},
        {"sku": None},
        {"name": ""},
        {"name": "a\nb"},
        {"active": "yes"},
        {"expiresAt": "2030-01-01"},
    ],
    ids=str,
)
def test_a_variant_of_another_shape_is_refused_with_400(world: World, change: dict[str, Any]) -> None:
    answer = world.call("POST /api/v1/variants", roles=["admin"], body={"sku": "A", "name": "A"} | change)

    assert problem(answer) == (400, "invalid payload")


# --- movements ----------------------------------------------------------------------------------------------------


def test_a_movement_is_answered_as_the_contract_shows_it(world: World) -> None:
    answer = shop.move(
        world,
        25,
        user="manager-1",
        body={"reasonCode": "PURCHASE", "notes": "Supplier restock", "occurredAt": "2025-02-10T08:00:00Z"},
    )

    assert answer.status == 201
    event = answer.json
    assert set(event) == {
        *("id", "type", "warehouseId", "warehouseCode", "occurredAt", "reasonCode", "notes"),
        *("createdById", "createdByUsername", "createdAt", "lines"),
    }
    assert ids.is_uuid(event["id"])
    assert (event["type"], event["warehouseCode"], event["reasonCode"]) == ("INBOUND", "WH-1", "PURCHASE")
    assert (event["occurredAt"], event["createdById"]) == ("2025-02-10T08:00:00.000Z", "manager-1")
    (line,) = event["lines"]
    assert set(line) == {"id", "variantId", "variantSku", "quantity"}
    assert (line["variantSku"], line["quantity"]) == ("SKU-1", 25)


def test_a_movement_occurred_when_it_was_recorded_unless_it_says_otherwise(world: World) -> None:
    event = shop.move(world, 1).json

    assert event["occurredAt"] == event["createdAt"]
    assert event["reasonCode"] is event["notes"] is None


def test_movements_change_the_level_with_their_sign(world: World) -> None:
    for kind, quantity in [("INBOUND", 10), ("OUTBOUND", 3), ("ADJUST", 2), ("ADJUST", -4)]:
        assert shop.move(world, quantity, kind=kind).status == 201

    assert shop.level(world) == (5, 0, 5)


def test_outgoing_units_are_told_as_negative(world: World) -> None:
    shop.stock(world, 5)

    assert shop.move(world, 2, kind="OUTBOUND").json["lines"][0]["quantity"] == -2


@pytest.mark.parametrize(("kind", "quantity"), [("OUTBOUND", 6), ("ADJUST", -6)])
def test_nothing_drives_stock_below_zero(world: World, kind: str, quantity: int) -> None:
    shop.stock(world, 5)

    answer = shop.move(world, quantity, kind=kind)

    assert problem(answer) == (400, "stock-insufficient")
    assert shop.level(world) == (5, 0, 5)


def test_reserved_units_are_not_there_to_be_moved(world: World) -> None:
    shop.stock(world, 5)
    world.step("reserve_stock", shop.order(world, shop.line(quantity=3)))

    assert shop.move(world, 3, kind="OUTBOUND").status == 400
    assert shop.move(world, 2, kind="OUTBOUND").status == 201
    assert shop.level(world) == (3, 3, 0)


def test_a_movement_of_several_variants_is_all_or_nothing(world: World) -> None:
    shop.stock(world, 5, "A")
    shop.stock(world, 1, "B")
    lines = [{"variantId": shop.variant(world, sku), "quantity": 2} for sku in ("A", "B")]

    answer = shop.move(world, 0, kind="OUTBOUND", body={"lines": lines})

    assert answer.status == 400
    assert (shop.level(world, "A"), shop.level(world, "B")) == ((5, 0, 5), (1, 0, 1))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "SALE"},
        {"type": None},
        {"warehouseId": "none"},
        {"occurredAt": "2025-02-10T08:00:00"},
        {"occurredAt": "9999-01-01T00:00:00Z"},
        {"reasonCode": "GIFT"},
        {"reasonCode": "SALE"},
        {"notes": "x" * 501},
        {"lines": []},
        {"lines": [{}]},
        {"lines": [{"variantId": "none", "quantity": 1}]},
        {"lines": [{"variantId": ids.derived("variant", "SKU-1"), "quantity": 0}]},
        {"lines": [{"variantId": ids.derived("variant", "SKU-1"), "quantity": -1}]},
        {"lines": [{"variantId": ids.derived("variant", "SKU-1"), "quantity": 1.5}]},
        {"lines": [{"variantId": ids.derived("variant", "SKU-1"), "quantity": "1"}]},
        {"lines": [{"variantId": ids.derived("variant", "SKU-1"), "quantity": 10**10}]},
        {"lines": [{"variantId": ids.derived("variant", "SKU-1"), "quantity": 1}] * 2},
        {"lines": [{"variantId": ids.derived("variant", f"SKU-{number}"), "quantity": 1} for number in range(91)]},
    ],
    ids=lambda change: str(change)[:60],
)
def test_a_movement_that_breaks_a_rule_is_refused_with_400(world: World, change: dict[str, Any]) -> None:
    answer = shop.move(world, 1, body=change)

    assert problem(answer) == (400, "invalid payload")
    assert shop.level(world) == (0, 0, 0)


def test_a_variant_named_twice_is_refused_whatever_the_case_of_its_id(world: World) -> None:
    variant_id = shop.variant(world)
    lines = [{"variantId": each, "quantity": 1} for each in (variant_id, variant_id.upper())]

    assert problem(shop.move(world, 1, body={"lines": lines})) == (400, "invalid payload")


def test_an_unknown_warehouse_is_not_found(world: World) -> None:
    assert problem(shop.move(world, 1, body={"warehouseId": ids.new()})) == (404, "stock-warehouse-not-found")


def test_an_unknown_variant_is_not_found(world: World) -> None:
    lines = [{"variantId": ids.new(), "quantity": 1}]

    assert problem(shop.move(world, 1, body={"lines": lines})) == (404, "stock-variant-not-found")


def test_an_inactive_variant_does_not_move(world: World) -> None:
    shop.variant(world, "A", active=False)

    assert problem(shop.move(world, 1, "A")) == (400, "invalid payload")


def test_an_expired_variant_can_only_be_discarded(world: World) -> None:
    # GIVEN a variant that expires between its purchase and today
    shop.variant(world, "A", expiresAt="2020-01-01T00:00:00Z")

    assert problem(shop.move(world, 1, "A")) == (400, "invalid payload")
    assert shop.move(world, 3, "A", kind="ADJUST", body={"reasonCode": "COUNT_CORRECTION"}).status == 201
    assert shop.move(world, 1, "A", kind="OUTBOUND", body={"reasonCode": "DISCARD_EXPIRED"}).status == 201


def test_a_seller_moves_stock_where_the_warehouse_names_them(world: World) -> None:
    shop.warehouse(world, "MINE", ("seller-1",))

    assert shop.move(world, 1, code="MINE", user="seller-1", roles=["seller"]).status == 201
    assert problem(shop.move(world, 1, code="MINE", user="seller-2", roles=["seller"])) == (403, "Forbidden")


@pytest.mark.parametrize("role", ["buyer", "operator", "service"])
def test_other_roles_move_nothing(world: World, role: str) -> None:
    assert shop.move(world, 1, roles=[role]).status == 403


# --- levels -------------------------------------------------------------------------------------------------------


def test_levels_are_told_by_warehouse(world: World) -> None:
    shop.stock(world, 5)
    shop.stock(world, 7, code="WH-2")
    world.step("reserve_stock", shop.order(world, shop.line(quantity=6)))

    assert shop.levels(world) == {
        ids.derived("warehouse", "WH-1"): (5, 0, 5),
        ids.derived("warehouse", "WH-2"): (7, 6, 1),
    }


def test_a_variant_that_was_never_stocked_has_no_levels(world: World) -> None:
    assert shop.levels(world) == {}


def test_an_unknown_variant_has_no_levels_to_tell(world: World) -> None:
    answer = world.call("GET /api/v1/variants/{id}/levels", roles=["seller"], path={"id": ids.new()})

    assert problem(answer) == (404, "stock-variant-not-found")
