"""Transfers: both movements or none."""

from typing import Any

import pytest

from tests import shop
from tests.world import Answer, World
from tillflow.values import ids

FROM, TO = "FROM", "TO"


def transfer(world: World, quantity: int = 2, sku: str = "SKU-1", **parts: Any) -> Answer:
    body = {
        "fromWarehouseId": shop.warehouse(world, FROM),
        "toWarehouseId": shop.warehouse(world, TO),
        "lines": [{"variantId": shop.variant(world, sku), "quantity": quantity}],
    }
    who = {"roles": ["manager"], "user": "manager-1"} | parts
    return world.call("POST /api/v1/stock-transfers", body=body | who.pop("body", {}), **who)


def problem(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["detail"]


def available(world: World) -> tuple[int, ...]:
    found = shop.levels(world)
    return tuple(found.get(shop.warehouse(world, code), (0, 0, 0))[2] for code in (FROM, TO))


@pytest.fixture
def stocked(world: World) -> World:
    shop.stock(world, 5, code=FROM)
    return world


def test_a_transfer_is_two_movements_with_one_id(stocked: World) -> None:
    answer = transfer(stocked, body={"notes": "For the weekend", "occurredAt": "2026-02-10T08:00:00Z"})

    assert answer.status == 201
    transfer_id, halves = answer.json["transferId"], [answer.json["outbound"], answer.json["inbound"]]
    assert [(each["type"], each["warehouseCode"], each["lines"][0]["quantity"]) for each in halves] == [
        ("OUTBOUND", FROM, -2),
        ("INBOUND", TO, 2),
    ]
    for each in halves:
        assert (each["reasonCode"], each["notes"], each["occurredAt"]) == ("OTHER", "For the weekend", "2026-02-10T08:00:00.000Z")
        assert (each["transferId"], each["createdById"]) == (transfer_id, "manager-1")
    stored = [item for item in stocked.items("StockTable") if item.get("transfer_id") == transfer_id]
    assert {item["pk"] for item in stored} == {f"EVENT#{each['id']}" for each in halves}
    assert available(stocked) == (3, 2)


def test_more_than_there_is_moves_nowhere(stocked: World) -> None:
    assert problem(transfer(stocked, 6)) == (400, "stock-insufficient")
    assert available(stocked) == (5, 0)
    assert not [item for item in stocked.items("StockTable") if "transfer_id" in item]


def test_under_a_key_a_transfer_happens_once(stocked: World) -> None:
    first, again = (transfer(stocked, headers={"Idempotency-Key": "k"}) for _ in range(2))
    other = transfer(stocked, 3, headers={"Idempotency-Key": "k"})

    assert (again.status, again.json, again.headers["x-idempotent-replay"]) == (201, first.json, "true")
    assert problem(other) == (409, "stock-idempotency-conflict")
    assert available(stocked) == (3, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"toWarehouseId": ids.derived("warehouse", FROM)},
        {"lines": []},
        {"lines": [{"variantId": ids.derived("variant", "SKU-1"), "quantity": 0}]},
        {"lines": [{"variantId": ids.derived("variant", "SKU-1"), "quantity": -1}]},
        {"lines": [{"variantId": ids.derived("variant", "SKU-1"), "quantity": 1}] * 2},
        {"lines": [{"variantId": ids.derived("variant", f"{number}"), "quantity": 1} for number in range(46)]},
        {"notes": "x" * 501},
        {"reasonCode": "OTHER"},
    ],
    ids=lambda change: str(change)[:50],
)
def test_a_transfer_that_makes_no_sense_is_refused_with_400(stocked: World, change: dict[str, Any]) -> None:
    assert problem(transfer(stocked, body=change)) == (400, "invalid payload")
    assert available(stocked) == (5, 0)


@pytest.mark.parametrize("end", ["fromWarehouseId", "toWarehouseId"])
def test_both_warehouses_must_be_there(stocked: World, end: str) -> None:
    assert problem(transfer(stocked, body={end: ids.new()})) == (404, "stock-warehouse-not-found")


def test_a_variant_must_be_there(stocked: World) -> None:
    lines = [{"variantId": ids.new(), "quantity": 1}]

    assert problem(transfer(stocked, body={"lines": lines})) == (404, "stock-variant-not-found")


@pytest.mark.parametrize("code", [FROM, TO])
def test_both_warehouses_must_be_active(stocked: World, code: str) -> None:
    path = {"id": shop.warehouse(stocked, code)}
    stocked.call("PATCH /api/v1/warehouses/{id}", path=path, body={"active": False}, roles=["manager"])

    assert problem(transfer(stocked)) == (400, "invalid payload")


def test_an_expired_variant_stays_where_it_is(stocked: World) -> None:
    path = {"id": shop.variant(stocked)}
    stocked.call("PATCH /api/v1/variants/{id}", path=path, body={"expiresAt": "2020-01-01T00:00:00Z"}, roles=["manager"])

    assert problem(transfer(stocked)) == (400, "invalid payload")


def test_a_seller_needs_both_warehouses(world: World) -> None:
    shop.warehouse(world, FROM, ("both", "one"))
    shop.warehouse(world, TO, ("both",))
    shop.stock(world, 5, code=FROM)

    assert transfer(world, user="both", roles=["seller"]).status == 201
    assert problem(transfer(world, user="one", roles=["seller"])) == (403, "Forbidden")
