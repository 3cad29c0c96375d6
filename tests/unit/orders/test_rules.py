"""What a cart becomes and which way an order may go, decided without I/O."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.shop import line, signed_cart
from tillflow.contexts.orders import rules
from tillflow.contexts.orders.models import MAX_LINES, CartSnapshot
from tillflow.contexts.orders.rules import InvalidSnapshot, Order, OrderAlreadyFinalized
from tillflow.values import ids

AT = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def cart(*lines: dict[str, Any], **changes: Any) -> CartSnapshot:
    return CartSnapshot.model_validate(signed_cart(*lines, **changes))


def order(status: str = rules.PENDING, **snapshot: Any) -> Order:
    return Order("order-1", status, "user-1", ("buyer",), signed_cart(**snapshot), "trace-1", AT, AT)


# --- totals -------------------------------------------------------------------------------------------------------


def test_totals_that_follow_from_the_items_pass() -> None:
    rules.check_totals(cart(line(quantity=3, cents=1990), line("B", 2, 0)))


@pytest.mark.parametrize("name", ["itemCount", "totalQuantity", "subtotalCents"])
@pytest.mark.parametrize("off_by", [1, -1])
def test_totals_that_do_not_are_refused_by_name(name: str, off_by: int) -> None:
    good = signed_cart(line(quantity=3))["totals"]

    with pytest.raises(InvalidSnapshot, match=rf"totals\.{name} .* should be {good[name]}"):
        rules.check_totals(cart(line(quantity=3), totals=good | {name: good[name] + off_by}))


def test_totals_in_another_currency_are_refused() -> None:
    good = signed_cart()["totals"]

    with pytest.raises(InvalidSnapshot, match=r"totals\.currency"):
        rules.check_totals(cart(totals=good | {"currency": "EUR"}))


# --- age ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("age", [timedelta(0), DAY, timedelta(minutes=-5)])
def test_a_cart_of_the_last_day_is_young_enough_also_by_a_clock_that_runs_ahead(age: timedelta) -> None:
    rules.check_age(cart(createdAt=(AT - age).isoformat()), AT, DAY)


@pytest.mark.parametrize(
    ("age", "why"),
    [(DAY + timedelta(seconds=1), "older than 86400 seconds"), (timedelta(minutes=-5, seconds=-1), "in the future")],
)
def test_a_cart_is_refused_when_it_is_old_or_from_the_future(age: timedelta, why: str) -> None:
    with pytest.raises(InvalidSnapshot, match=why):
        rules.check_age(cart(createdAt=(AT - age).isoformat()), AT, DAY)


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_time_are_no_exception(written: str) -> None:
    with pytest.raises(ValidationError, match="years 1 to 9999"):
        cart(createdAt=written)


# --- the shape of a cart ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"items": []},
        {"items": [line()] * (MAX_LINES + 1)},
        {"items": [line(quantity=0)]},
        {"items": [line(quantity=10_001)]},
        {"items": [line(cents=-1)]},
        {"items": [line() | {"unitPriceCents": 19.9}]},
        {"items": [line() | {"quantity": "1"}]},
        {"items": [line("SKU 1")]},
        {"items": [line("")]},
        {"currency": "usd"},
        {"currency": "DOLLAR"},
        {"createdAt": "2026-02-10T12:00:00"},
        {"createdAt": "yesterday"},
        {"snapshotId": "none"},
        {"cartVersion": -1},
        {"userId": ""},
        {"userId": "a\nb"},
        {"pricingSnapshot": []},
    ],
    ids=str,
)
def test_a_cart_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CartSnapshot.model_validate(signed_cart() | change)


@pytest.mark.parametrize("signature", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, None, 1])
def test_a_signature_is_64_lower_case_hexadecimal_digits(signature: object) -> None:
    with pytest.raises(ValidationError):
        CartSnapshot.model_validate(signed_cart() | {"signature": signature})


def test_fields_that_we_do_not_know_are_kept() -> None:
    assert cart(coupon={"code": "X"}).model_extra == {"coupon": {"code": "X"}}


# --- orders -------------------------------------------------------------------------------------------------------


def test_lines_of_one_sku_are_one_demand() -> None:
    snapshot = signed_cart(line("A", 2), line("B", 1), line("A", 3))

    assert Order("o", rules.PENDING, "u", (), snapshot, "t", AT, AT).demand == {"A": 5, "B": 1}


def test_the_total_is_in_minor_units_of_the_cart_s_currency() -> None:
    snapshot = signed_cart(line("A", 3, 1990), line("B", 1, 5))

    placed = Order("o", rules.PENDING, "u", (), snapshot, "t", AT, AT)

    assert (placed.total, placed.currency) == (5975, "USD")


def test_one_snapshot_is_one_order_however_its_id_is_written() -> None:
    one, other = ids.new(), ids.new()

    written = [one, one.upper(), one.replace("-", ""), f"{{{one}}}", f"urn:uuid:{one}"]
    assert len({rules.order_id_of(each) for each in written}) == 1
    assert rules.order_id_of(one) != rules.order_id_of(other)


@pytest.mark.parametrize("status", [rules.PENDING, rules.CONFIRMED])
def test_a_pending_or_confirmed_order_can_be_canceled(status: str) -> None:
    canceled = rules.cancel(order(status), "customer_request", AT + DAY)

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "customer_request")
    assert canceled.canceled_at == canceled.updated_at == AT + DAY
    assert canceled.created_at == AT


@pytest.mark.parametrize("status", [rules.FAILED, rules.CANCELED])
def test_an_order_that_has_ended_cannot_and_the_refusal_carries_it(status: str) -> None:
    with pytest.raises(OrderAlreadyFinalized) as refused:
        rules.cancel(order(status), None, AT)

    assert refused.value.extra["order"]["status"] == status
    assert refused.value.title == "Order already finalized"


def test_an_order_is_shown_as_its_contract_has_it() -> None:
    shown = rules.present(rules.cancel(order(), "why", AT))

    assert set(shown) == {
        *("id", "status", "currency", "userId", "totals", "cartSnapshot"),
        *("cancellationReason", "canceledAt", "createdAt", "updatedAt"),
        *("failureReason", "declineCode"),  # not in the contract: an order that failed says why
    }
    assert shown["canceledAt"] == shown["createdAt"] == "2026-02-10T12:00:00.000Z"
    assert "signature" in shown["cartSnapshot"]
    assert "payment" not in str(shown).lower()
