from typing import Any

from local.bench.reconcile import Item, Placed, discrepancies

BOUGHT = Placed("o-1", total=3980, units={"v-1": 2}, status="confirmed")
DECLINED = Placed("o-2", total=1990, units={"v-1": 1}, status="failed")
STOCKED = {"v-1": 25}

ORDERS: list[Item] = [{"pk": "ORDER#o-1", "status": "confirmed"}, {"pk": "ORDER#o-2", "status": "failed"}]
CHARGES: list[Item] = [
    {"order_id": "o-1", "status": "charged", "amount": 3980},
    {"order_id": "o-2", "status": "canceled", "amount": 1990},
]


def line(quantity: int) -> dict[str, object]:
    return {"variant_id": "v-1", "sku": "A", "warehouse_id": "w-1", "quantity": quantity}


def level(available: int) -> Item:
    return {"pk": "VARIANT#v-1", "sk": "LEVEL#w-1", "available": available}


LEDGER: list[Item] = [
    {"pk": "EVENT#in", "sk": "EVENT", "status": "posted", "lines": [line(25)]},
    {"pk": "EVENT#o-1", "sk": "EVENT", "status": "posted", "lines": [line(-2)]},
    {"pk": "EVENT#o-2", "sk": "EVENT", "status": "released", "lines": [line(-1)]},
    {"pk": "VARIANT#v-1", "sk": "VARIANT"},
]


def found(placed: tuple[Placed, ...] = (BOUGHT, DECLINED), **tables: Any) -> list[str]:
    return discrepancies(placed, STOCKED, **{"orders": ORDERS, "charges": CHARGES, "stock": [*LEDGER, level(23)]} | tables)


def test_books_that_balance_have_no_discrepancy() -> None:
    assert found() == []


def test_a_confirmed_order_without_its_charge_is_found() -> None:
    assert found(charges=CHARGES[1:]) == ["confirmed order o-1: charged [], must be [3980]"]


def test_a_second_charge_is_found() -> None:
    assert found(charges=[CHARGES[0], *CHARGES]) == ["confirmed order o-1: charged [3980, 3980], must be [3980]"]


def test_a_failed_order_that_was_not_refunded_is_found() -> None:
    kept = [CHARGES[0], {**CHARGES[1], "status": "charged"}]

    assert found(charges=kept) == ["failed order o-2: charged [1990], must be []"]


def test_an_order_that_nobody_placed_is_found_with_its_charge() -> None:
    assert found(placed=(DECLINED,)) == [
        "order o-1 was placed by nobody",
        "order o-1, which nobody placed, was charged",
        "variant v-1: 23 available, must be 25 after what was sold",
    ]


def test_an_order_that_is_not_what_its_buyer_saw_or_not_settled_is_found() -> None:
    orders = [{"pk": "ORDER#o-1", "status": "pending", "due_at": "2026-11-21T00:00:00.000Z"}, ORDERS[1]]

    assert found(orders=orders) == ["order o-1 is pending, its buyer saw it confirmed", "order o-1 is not settled"]


def test_a_level_that_is_not_the_sum_of_the_ledger_is_found() -> None:
    assert "('v-1', 'w-1', 0): 24 available, must be 23 moved less 0 reserved" in found(stock=[*LEDGER, level(24)])


def test_units_that_an_open_reservation_holds_are_not_available() -> None:
    held: Item = {"pk": "EVENT#o-3", "sk": "EVENT", "status": "pending", "lines": [line(-3)]}

    assert "('v-1', 'w-1', 0): 23 available, must be 23 moved less 3 reserved" in found(stock=[*LEDGER, held, level(23)])


def test_overselling_is_found() -> None:
    sold: Item = {"pk": "EVENT#o-9", "sk": "EVENT", "status": "posted", "lines": [line(-30)]}

    assert "('v-1', 'w-1', 0): -7 available" in found(stock=[*LEDGER, sold, level(-7)])
