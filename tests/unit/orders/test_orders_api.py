"""Orders over their handlers (contract: orders-service.md)."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests import shop
from tests.world import World
from tillflow.runtime import aws, secrets
from tillflow.values import clock, ids

CREATE = ["POST /api/orders", "POST /orders"]
GET = ["GET /api/orders/{orderId}", "GET /orders/{orderId}"]
CANCEL = ["POST /api/orders/{orderId}/cancel", "POST /orders/{orderId}/cancel"]


def cart_made(ago: timedelta) -> dict[str, Any]:
    """Return a signed cart that was made so long ago."""
    return shop.signed_cart(createdAt=clock.iso(clock.now() - ago))


# --- create -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", CREATE)
def test_a_signed_cart_becomes_a_pending_order_with_its_events(world: World, route: str) -> None:
    cart = shop.signed_cart(shop.line("A", 2, 1990), shop.line("A", 1, 1990))

    answer = shop.place(world, cart, route=route)

    assert answer.status == 201
    assert set(answer.json) == {"orderId"}
    assert "x-idempotent-replay" not in answer.headers
    created, placed = world.events()
    assert (created["event_type"], placed["event_type"]) == ("OrderCreated", "orders.order_placed.v1")
    assert created["data"]["order_id"] == placed["data"]["order_id"] == answer.json["orderId"]
    assert created["data"]["total_amount"] == 59.70
    assert [item["quantity"] for item in created["data"]["items"]] == [2, 1]
    assert placed["data"]["subtotal_cents"] == 5970


def test_the_trace_of_the_caller_goes_into_the_events(world: World) -> None:
    trace_id = ids.new()

    answer = shop.place(world, shop.signed_cart(), headers={"X-Trace-Id": trace_id})

    assert answer.headers["X-Trace-Id"] == trace_id
    assert {event["trace_id"] for event in world.events()} == {trace_id}


def test_a_trace_that_is_no_uuid_is_replaced(world: World) -> None:
    answer = shop.place(world, shop.signed_cart(), headers={"X-Trace-Id": "mine"})

    assert ids.is_uuid(answer.headers["X-Trace-Id"])


def test_the_same_key_replays_with_200_and_a_header(world: World) -> None:
    cart = shop.signed_cart()
    first = shop.place(world, cart, key="k")

    second = shop.place(world, cart, key="k")

    assert (first.status, second.status) == (201, 200)
    assert second.json == first.json
    assert second.headers["x-idempotent-replay"] == "true"
    assert len(world.events("OrderCreated")) == 1


def test_the_alias_is_the_same_operation(world: World) -> None:
    cart = shop.signed_cart()
    shop.place(world, cart, key="k")

    assert shop.place(world, cart, key="k", route="POST /orders").status == 200


def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    shop.place(world, shop.signed_cart(), key="k")

    answer = shop.place(world, shop.signed_cart(), key="k")

    assert (answer.status, answer.json["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert len(world.events("OrderCreated")) == 1


def test_the_same_key_with_another_payment_token_is_another_body(world: World) -> None:
    cart = shop.signed_cart()
    shop.place(world, cart, key="k", body={"paymentToken": "tok_success"})

    assert shop.place(world, cart, key="k", body={"paymentToken": "tok_declined"}).status == 422


def test_a_second_key_for_the_same_snapshot_is_a_conflict(world: World) -> None:
    cart = shop.signed_cart()
    first = shop.place(world, cart)

    answer = shop.place(world, cart)

    assert (answer.status, answer.json["error_code"]) == (409, "SNAPSHOT_ALREADY_ORDERED")
    assert answer.json["orderId"] == first.json["orderId"]
    assert len(world.items("OrdersTable")) == 1


def test_another_s_order_is_not_named_to_who_orders_the_same_snapshot(world: World) -> None:
    cart = shop.signed_cart(userId=None)
    shop.place(world, cart)

    answer = shop.place(world, cart, user="user-2")

    assert (answer.status, answer.json["error_code"]) == (409, "SNAPSHOT_ALREADY_ORDERED")
    assert "orderId" not in answer.json


def test_a_conflict_leaves_its_key_free(world: World) -> None:
    cart = shop.signed_cart()
    shop.place(world, cart)
    shop.place(world, cart, key="k")

    assert shop.place(world, shop.signed_cart(), key="k").status == 201


def test_another_user_s_snapshot_is_forbidden(world: World) -> None:
    answer = shop.place(world, shop.signed_cart(user="user-2"))

    assert (answer.status, answer.json["error_code"]) == (403, "SNAPSHOT_NOT_YOURS")
    assert world.items("OrdersTable") == []


def test_a_snapshot_of_nobody_becomes_the_caller_s_order(world: World) -> None:
    answer = shop.place(world, shop.signed_cart(userId=None), user="user-7")

    shown = world.call(GET[0], user="user-7", path={"orderId": answer.json["orderId"]})
    assert shown.json["userId"] == "user-7"


def test_a_snapshot_that_is_too_old_is_refused(world: World) -> None:
    answer = shop.place(world, cart_made(timedelta(days=1, seconds=1)))

    assert (answer.status, answer.json["error"]) == (422, "Invalid snapshot payload")
    assert "older than 86400 seconds" in answer.json["message"]


def test_the_age_is_a_setting(world: World) -> None:
    world.environments["orders/create_order"]["CART_SNAPSHOT_MAX_AGE_SECONDS"] = "60"

    assert shop.place(world, cart_made(timedelta(seconds=50))).status == 201
    assert shop.place(world, cart_made(timedelta(seconds=62))).status == 422


def test_a_replay_of_an_order_that_was_accepted_in_time_is_still_answered(world: World) -> None:
    # GIVEN an order whose snapshot has become too old since
    cart = shop.signed_cart()
    first = shop.place(world, cart, key="k")
    world.environments["orders/create_order"]["CART_SNAPSHOT_MAX_AGE_SECONDS"] = "0"
    assert shop.place(world, shop.signed_cart()).status == 422

    # WHEN it is sent again
    answer = shop.place(world, cart, key="k")

    # THEN it is answered as before
    assert (answer.status, answer.json) == (200, first.json)


@pytest.mark.parametrize(
    "change", [{"userId": "user-1 "}, {"cartVersion": 2}, {"more": 1}, {"signature": "0" * 64}, {"pricingSnapshot": {}}], ids=str
)
def test_a_snapshot_that_was_changed_after_it_was_signed_is_refused(world: World, change: dict[str, object]) -> None:
    answer = shop.place(world, shop.signed_cart() | change)

    assert (answer.status, answer.json["error"]) == (422, "Invalid snapshot payload")
    assert answer.json["error_code"] == "INVALID_SNAPSHOT"
    assert world.items("OrdersTable") == world.items("IdempotencyTable") == []


def cart_in(currency: str) -> dict[str, Any]:
    """Return a signed cart whose amounts are in this currency."""
    return shop.signed_cart(currency=currency, totals=shop.signed_cart()["totals"] | {"currency": currency})


@pytest.mark.parametrize("currency", ["ZZZ", "AAA", "HRK", "XXX", "XTS", "XAU", "usd", "US", "USDT", "USD ", ""])
def test_a_cart_in_no_currency_that_one_can_pay_in_is_refused(world: World, currency: str) -> None:
    answer = shop.place(world, cart_in(currency))

    assert (answer.status, answer.json["error_code"]) == (422, "INVALID_SNAPSHOT")
    assert answer.json["message"].startswith("cartSnapshot: currency: ")


@pytest.mark.parametrize(("currency", "amount"), [("EUR", 19.90), ("JPY", 1990), ("KWD", 1.990), ("CLF", 0.1990)])
def test_a_cart_in_another_currency_is_ordered_with_its_digits(world: World, currency: str, amount: float) -> None:
    assert shop.place(world, cart_in(currency)).status == 201

    (event,) = world.events("OrderCreated")
    assert event["data"]["total_amount"] == amount


def test_a_snapshot_of_another_secret_is_refused(world: World) -> None:
    assert shop.place(world, shop.signed_cart(secret="another")).status == 422


def test_a_snapshot_signed_before_a_rotation_of_the_secret_is_accepted(world: World) -> None:
    cart = shop.signed_cart()
    aws.client("secretsmanager").put_secret_value(SecretId=world.secret_arns["CartSnapshotSecret"], SecretString="new")
    secrets.forget()

    assert shop.place(world, cart).status == 201
    assert shop.place(world, shop.signed_cart(secret="new")).status == 201


def test_totals_that_the_cart_service_signed_wrongly_are_refused(world: World) -> None:
    totals = shop.signed_cart()["totals"] | {"subtotalCents": 1}

    answer = shop.place(world, shop.signed_cart(totals=totals))

    assert (answer.status, answer.json["error_code"]) == (422, "INVALID_SNAPSHOT")


@pytest.mark.parametrize("size", [100_000, 5_000_000])
def test_a_signed_snapshot_that_no_item_can_hold_is_refused(world: World, size: int) -> None:
    answer = shop.place(world, shop.signed_cart(pricingSnapshot={"noise": "x" * size}))

    assert (answer.status, answer.json["error_code"]) == (422, "INVALID_SNAPSHOT")


def test_the_largest_cart_is_an_order(world: World) -> None:
    lines = [shop.line(f"SKU-{n}" + "x" * 50, 10_000, 1_000_000_000) | {"title": "é" * 500} for n in range(50)]

    assert shop.place(world, shop.signed_cart(*lines)).status == 201


def test_an_order_of_a_few_lines_costs_a_write_unit_for_itself(world: World) -> None:
    """docs/adr/0002: what a kilobyte holds is paid once."""
    shop.order(world, shop.line("A"), shop.line("B"))

    (item,) = world.items("OrdersTable")
    assert sum(len(name) + len(value if isinstance(value, bytes) else str(value)) for name, value in item.items()) < 1024


def test_the_payment_token_is_shown_to_nobody(world: World) -> None:
    order_id = shop.order(world, paymentToken="tok_success")

    shown = world.call(GET[0], roles=["admin"], path={"orderId": order_id})

    assert "tok_success" not in shown.text
    assert "tok_success" not in str(world.events())


# --- get ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", GET)
def test_a_buyer_sees_their_own_order(world: World, route: str) -> None:
    cart = shop.signed_cart()
    order_id = shop.place(world, cart).json["orderId"]

    answer = world.call(route, path={"orderId": order_id})

    assert answer.status == 200
    assert (answer.json["id"], answer.json["status"], answer.json["currency"]) == (order_id, "pending", "USD")
    assert answer.json["cartSnapshot"] == cart
    assert answer.json["totals"] == cart["totals"]
    assert answer.json["canceledAt"] is answer.json["cancellationReason"] is None


def test_a_buyer_does_not_see_another_s_order(world: World) -> None:
    answer = world.call(GET[0], user="user-2", path={"orderId": shop.order(world)})

    assert (answer.status, answer.json["error_code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_operators_and_admins_see_every_order(world: World, role: str) -> None:
    assert world.call(GET[0], user="user-2", roles=[role], path={"orderId": shop.order(world)}).status == 200


@pytest.mark.parametrize("route", GET)
def test_an_unknown_order_is_not_found(world: World, route: str) -> None:
    answer = world.call(route, path={"orderId": ids.new()})

    assert (answer.status, answer.json["error_code"]) == (404, "ORDER_NOT_FOUND")


# --- cancel -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", CANCEL)
def test_a_pending_order_is_canceled_and_that_is_told(world: World, route: str) -> None:
    order_id = shop.order(world)

    answer = world.call(route, user="op-1", roles=["operator"], path={"orderId": order_id}, body={"reason": "customer_request"})

    assert (answer.status, answer.json["status"]) == (200, "canceled")
    assert answer.json["order"]["cancellationReason"] == "customer_request"
    assert answer.json["order"]["canceledAt"] is not None
    assert answer.json["order"] == world.call(GET[0], path={"orderId": order_id}).json
    (event,) = world.events("orders.order_canceled.v1")
    assert event["data"]["reason"] == "customer_request"
    assert event["identity"]["user_id"] == "op-1"


def test_a_cancel_goes_on_in_the_order_s_trace(world: World) -> None:
    """What is undone is part of the order's story, whoever asked for it."""
    order_id = shop.order(world)

    world.call(CANCEL[0], roles=["operator"], path={"orderId": order_id}, headers={"X-Trace-Id": ids.new()})

    assert len({event["trace_id"] for event in world.events()}) == 1


@pytest.mark.parametrize("body", [None, "", "{}", {"reason": None}])
def test_a_reason_is_optional(world: World, body: object) -> None:
    answer = world.call(CANCEL[0], roles=["operator"], path={"orderId": shop.order(world)}, body=body)

    assert (answer.status, answer.json["order"]["cancellationReason"]) == (200, None)


def test_a_confirmed_order_can_be_canceled(world: World) -> None:
    shop.stock(world, 5)
    order_id = shop.order(world)
    for step in ("reserve_stock", "charge_payment", "complete_order"):
        world.step(step, order_id)

    assert world.call(CANCEL[0], roles=["admin"], path={"orderId": order_id}).status == 200


def test_an_order_is_canceled_once_and_the_refusal_shows_it(world: World) -> None:
    order_id = shop.order(world)
    first = world.call(CANCEL[0], roles=["operator"], path={"orderId": order_id}, body={"reason": "first"})

    second = world.call(CANCEL[0], roles=["operator"], path={"orderId": order_id}, body={"reason": "second"})

    assert (second.status, second.json["error"]) == (409, "Order already finalized")
    assert set(second.json) == {"error", "error_code", "message", "detail", "request_id", "order"}
    assert second.json["order"] == first.json["order"]
    assert len(world.events("orders.order_canceled.v1")) == 1


def test_a_cancel_whose_answer_was_lost_while_the_saga_went_on_is_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a cancel that takes effect, whose answer is lost, and a saga that settles the order before it is sent again
    order_id = shop.order(world)
    client = aws.client("dynamodb")
    update = client.update_item
    lost: list[Any] = []

    def losing(**request: Any) -> Any:
        answer = update(**request)
        if not lost:
            lost.append(answer)
            for step in ("fail_order", "refund_payment", "release_stock"):
                world.step(step, order_id)
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return answer

    monkeypatch.setattr(client, "update_item", losing)

    # WHEN it is sent
    first, second = (world.call(CANCEL[0], roles=["operator"], path={"orderId": order_id}) for _ in range(2))

    # THEN it is told that it was done; another is refused
    assert (first.status, first.json["status"]) == (200, "canceled")
    assert second.status == 409


def test_a_failed_order_cannot_be_canceled(world: World) -> None:
    order_id = shop.order(world)
    world.step("fail_order", order_id)

    answer = world.call(CANCEL[0], roles=["operator"], path={"orderId": order_id})

    assert (answer.status, answer.json["order"]["status"]) == (409, "failed")


def test_an_unknown_order_cannot_be_canceled(world: World) -> None:
    assert world.call(CANCEL[0], roles=["operator"], path={"orderId": ids.new()}).status == 404


def test_a_buyer_may_not_cancel_not_even_their_own(world: World) -> None:
    assert world.call(CANCEL[0], path={"orderId": shop.order(world)}).status == 403


@pytest.mark.parametrize("reason", ["x" * 501, 1, [], {}])
def test_a_reason_that_is_none_is_refused(world: World, reason: object) -> None:
    assert world.call(CANCEL[0], roles=["operator"], path={"orderId": shop.order(world)}, body={"reason": reason}).status == 422
