"""What may be reserved and moved, decided without I/O."""

from datetime import UTC, datetime, timedelta

import pytest

from tillflow.contexts.stock import rules
from tillflow.contexts.stock.allocation import allocate
from tillflow.contexts.stock.models import EventType, ReasonCode
from tillflow.contexts.stock.rules import (
    InvalidStockEvent,
    Level,
    Line,
    ReservationRefused,
    Stocked,
    Variant,
    Warehouse,
    WarehouseForbidden,
    check_access,
    check_moment,
    check_movement,
    opposite,
    signed_quantity,
)

AT = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def variant(sku: str = "A", *, active: bool = True, expires_at: datetime | None = None) -> Variant:
    return Variant(f"id-{sku}", sku, sku, active, expires_at)


def stocked(sku: str = "A", /, **levels: int) -> Stocked:
    """Return a SKU with what is available of it by warehouse."""
    return Stocked(variant(sku), tuple(Level(f"id-{sku}", warehouse, available) for warehouse, available in levels.items()))


def taken(lines: list[Line]) -> list[tuple[str, str, int]]:
    return [(line.sku, line.warehouse_id, line.quantity) for line in lines]


# --- allocate -----------------------------------------------------------------------------------------------------


def test_a_warehouse_that_has_everything_serves_the_whole_order() -> None:
    """One parcel: though another has more of each."""
    have = {"A": stocked("A", w1=9, w2=3), "B": stocked("B", w2=1, w3=9)}

    assert taken(allocate({"A": 3, "B": 1}, have, AT)) == [("A", "w2", 3), ("B", "w2", 1)]


def test_among_several_that_do_the_choice_is_always_the_same() -> None:
    assert taken(allocate({"A": 1}, {"A": stocked(w2=5, w1=5)}, AT)) == [("A", "w1", 1)]


def test_else_each_sku_comes_from_the_fullest_warehouses_first() -> None:
    have = {"A": stocked("A", w1=2, w2=5, w3=1), "B": stocked("B", w3=4)}

    assert taken(allocate({"A": 6, "B": 2}, have, AT)) == [("A", "w2", 5), ("A", "w1", 1), ("B", "w3", 2)]


def test_equally_full_warehouses_are_taken_in_order_of_their_ids() -> None:
    assert taken(allocate({"A": 3}, {"A": stocked(w2=2, w1=2)}, AT)) == [("A", "w1", 2), ("A", "w2", 1)]


def test_empty_warehouses_give_no_lines() -> None:
    assert taken(allocate({"A": 2}, {"A": stocked(w1=0, w2=1, w3=1)}, AT)) == [("A", "w2", 1), ("A", "w3", 1)]


def test_it_is_all_or_nothing() -> None:
    with pytest.raises(ReservationRefused) as refused:
        allocate({"A": 1, "B": 2}, {"A": stocked("A", w1=9), "B": stocked("B", w1=1)}, AT)

    assert refused.value.reason == rules.OUT_OF_STOCK


@pytest.mark.parametrize("have", [stocked(), stocked(w1=0)], ids=["never had", "sold out"])
def test_a_variant_without_stock_is_out_of_stock(have: Stocked) -> None:
    with pytest.raises(ReservationRefused, match=rules.OUT_OF_STOCK):
        allocate({"A": 1}, {"A": have}, AT)


@pytest.mark.parametrize(
    ("have", "reason"),
    [
        ({}, rules.UNKNOWN_SKU),
        ({"A": Stocked(variant(active=False), (Level("id-A", "w1", 9),))}, rules.VARIANT_INACTIVE),
        ({"A": Stocked(variant(expires_at=AT), (Level("id-A", "w1", 9),))}, rules.VARIANT_EXPIRED),
    ],
    ids=["unknown", "inactive", "expired"],
)
def test_what_may_not_be_sold_is_refused_and_why_is_told(have: dict[str, Stocked], reason: str) -> None:
    with pytest.raises(ReservationRefused) as refused:
        allocate({"A": 1}, have, AT)

    assert refused.value.reason == reason
    assert reason in str(refused.value)


def test_a_variant_is_sold_until_the_moment_it_expires() -> None:
    have = Stocked(variant(expires_at=AT), (Level("id-A", "w1", 9),))

    assert taken(allocate({"A": 1}, {"A": have}, AT - SECOND)) == [("A", "w1", 1)]


def test_an_order_that_needs_more_lines_than_one_transaction_holds_is_refused() -> None:
    have = {"A": stocked("A", **{f"w{n:03}": 1 for n in range(100)})}

    assert len(allocate({"A": rules.MOST_LINES}, have, AT)) == rules.MOST_LINES
    with pytest.raises(ReservationRefused, match=rules.OUT_OF_STOCK):
        allocate({"A": rules.MOST_LINES + 1}, have, AT)


def test_opposite_lines_add_up_to_nothing() -> None:
    lines = [Line("v", "A", "w", 3), Line("v", "A", "x", -2)]

    assert [line.quantity for line in opposite(lines)] == [-3, 2]
    assert opposite(opposite(lines)) == lines


# --- movements ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "quantity", "signed"),
    [
        (EventType.INBOUND, 5, 5),
        (EventType.OUTBOUND, 5, -5),
        (EventType.ADJUST, 5, 5),
        (EventType.ADJUST, -5, -5),
    ],
)
def test_the_sign_follows_from_the_type(kind: EventType, quantity: int, signed: int) -> None:
    assert signed_quantity(kind, quantity) == signed


@pytest.mark.parametrize(
    ("kind", "quantity"),
    [(EventType.INBOUND, 0), (EventType.INBOUND, -1), (EventType.OUTBOUND, 0), (EventType.OUTBOUND, -1), (EventType.ADJUST, 0)],
)
def test_a_quantity_that_moves_nothing_or_the_wrong_way_is_refused(kind: EventType, quantity: int) -> None:
    with pytest.raises(InvalidStockEvent):
        signed_quantity(kind, quantity)


FITTING = {
    EventType.INBOUND: {ReasonCode.PURCHASE, ReasonCode.OTHER},
    EventType.OUTBOUND: {ReasonCode.SALE, ReasonCode.DAMAGE, ReasonCode.DISCARD_EXPIRED, ReasonCode.OTHER},
    EventType.ADJUST: {ReasonCode.COUNT_CORRECTION, ReasonCode.DAMAGE, ReasonCode.DISCARD_EXPIRED, ReasonCode.OTHER},
}


@pytest.mark.parametrize("kind", EventType)
@pytest.mark.parametrize("reason", [None, *ReasonCode])
def test_a_reason_must_fit_the_type(kind: EventType, reason: ReasonCode | None) -> None:
    if reason is None or reason in FITTING[kind]:
        check_movement(kind, reason, [variant()], AT)
    else:
        with pytest.raises(InvalidStockEvent, match="does not fit"):
            check_movement(kind, reason, [variant()], AT)


def test_a_movement_may_occur_up_to_a_day_ahead() -> None:
    check_moment(AT - 5_000 * DAY, AT)
    check_moment(AT + DAY, AT)
    with pytest.raises(InvalidStockEvent, match="more than a day ahead"):
        check_moment(AT + DAY + timedelta(microseconds=1), AT)


def test_a_variant_named_twice_is_refused() -> None:
    with pytest.raises(InvalidStockEvent, match="more than one line"):
        check_movement(EventType.INBOUND, None, [variant("A"), variant("B"), variant("A")], AT)


def test_an_inactive_variant_is_refused() -> None:
    with pytest.raises(InvalidStockEvent, match="not active"):
        check_movement(EventType.INBOUND, None, [variant(active=False)], AT)


@pytest.mark.parametrize("reason", [ReasonCode.DISCARD_EXPIRED, ReasonCode.DAMAGE, ReasonCode.COUNT_CORRECTION])
def test_expired_goods_may_be_counted_and_thrown_away(reason: ReasonCode) -> None:
    check_movement(EventType.ADJUST, reason, [variant(expires_at=AT - SECOND)], AT)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(EventType.INBOUND, ReasonCode.PURCHASE), (EventType.OUTBOUND, ReasonCode.SALE), (EventType.ADJUST, None)],
)
def test_expired_goods_are_neither_bought_nor_sold(kind: EventType, reason: ReasonCode | None) -> None:
    with pytest.raises(InvalidStockEvent, match="has expired"):
        check_movement(kind, reason, [variant(expires_at=AT - SECOND)], AT)


# --- access -------------------------------------------------------------------------------------------------------

WAREHOUSE = Warehouse("w1", "W1", "W1", active=True, seller_ids=("seller-1",))


@pytest.mark.parametrize("roles", [("manager",), ("admin",), ("seller", "manager"), ("seller", "admin")])
def test_managers_and_admins_move_stock_everywhere(roles: tuple[str, ...]) -> None:
    check_access(WAREHOUSE, "anybody", roles)


def test_a_seller_moves_stock_where_they_are_named_and_nowhere_else() -> None:
    check_access(WAREHOUSE, "seller-1", ("seller",))
    with pytest.raises(WarehouseForbidden):
        check_access(WAREHOUSE, "seller-2", ("seller",))
