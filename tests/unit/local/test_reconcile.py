from typing import Any

from local.bench.reconcile import Item, Placed, discrepancies
from tillflow.contexts.stock import store
from tillflow.contexts.stock.rules import Line, variant_id_of

VARIANT = variant_id_of("A")
BOUGHT = Placed("o-1", total=3980, units={VARIANT: 2}, status="confirmed")
DECLINED = Placed("o-2", total=1990, units={VARIANT: 1}, status="failed")
STOCKED = {VARIANT: 25}

ORDERS: list[Item] = [{"pk": "ORDER#o-1", "status": "confirmed"}, {"pk": "ORDER#o-2", "status": "failed"}]
CHARGES: list[Item] = [
    {"order_id": "o-1", "status": "charged", "amount": 3980},
    {"order_id": "o-2", "status": "canceled", "amount": 1990},
]


def event(event_id: str, status: str, quantity: int) -> Item:
    return store.event_item(event_id, {"status": status}, [Line(VARIANT, "A", "w-1", quantity)])


def level(available: int) -> Item:
    return {"pk": f"VARIANT#{VARIANT}", "sk": "LEVEL#w-1", "available": available}


LEDGER: list[Item] = [
    event("in", "posted", 25),
    event("o-1", "posted", -2),
    event("o-2", "released", -1),
    {"pk": f"VARIANT#{VARIANT}", "sk": "VARIANT"},
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
        f"variant {VARIANT}: 23 available, must be 25 after what was sold",
    ]


def test_an_order_that_is_not_what_its_buyer_saw_or_not_settled_is_found() -> None:
    orders = [{"pk": "ORDER#o-1", "status": "pending", "due_at": "2026-11-21T00:00:00.000Z"}, ORDERS[1]]

    assert found(orders=orders) == ["order o-1 is pending, its buyer saw it confirmed", "order o-1 is not settled"]


def test_a_level_that_is_not_the_sum_of_the_ledger_is_found() -> None:
    assert f"('{VARIANT}', 'w-1', 0): 24 available, must be 23 moved less 0 reserved" in found(stock=[*LEDGER, level(24)])


def test_units_that_an_open_reservation_holds_are_not_available() -> None:
    held: Item = event("o-3", "pending", -3)

    assert f"('{VARIANT}', 'w-1', 0): 23 available, must be 23 moved less 3 reserved" in found(stock=[*LEDGER, held, level(23)])


def test_overselling_is_found() -> None:
    sold: Item = event("o-9", "posted", -30)

    assert f"('{VARIANT}', 'w-1', 0): -7 available" in found(stock=[*LEDGER, sold, level(-7)])
