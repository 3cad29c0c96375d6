"""The orders API, letter by letter (contract: orders-service.md)."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.integration.behind import Behind
from tests.integration.scene import Caller, Json, Scene, line, refused, unique
from tillflow.contexts.orders.rules import order_id_of
from tillflow.values import ids

REPRESENTATION = {
    "id",
    "status",
    "currency",
    "userId",
    "totals",
    "cartSnapshot",
    "cancellationReason",
    "canceledAt",
    "createdAt",
    "updatedAt",
    # Not the contract's: why a failed order failed.
    "failureReason",
    "declineCode",
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
INVALID_SNAPSHOT = "Invalid snapshot payload"
PREFIXES = pytest.mark.parametrize("prefix", ["/api/orders", "/orders"])


def body(scene: Scene, buyer: Caller, *lines: Json) -> Json:
    return {"cartSnapshot": scene.cart(buyer, *lines or (line(scene.plenty),))}


# Create


@PREFIXES
def test_a_signed_cart_becomes_an_order(scene: Scene, prefix: str) -> None:
    answer = scene.buyer.post(prefix, body(scene, scene.buyer), Idempotency_Key=unique("key"))
    assert answer.status_code == 201
    assert answer.json().keys() == {"orderId"}
    assert UUID(answer.json()["orderId"])
    assert answer.headers["content-type"] == "application/json"
    assert "x-idempotent-replay" not in answer.headers


@PREFIXES
def test_the_same_key_again_is_answered_as_the_first_time(scene: Scene, prefix: str) -> None:
    order = scene.order(line(scene.plenty))
    again = order.buyer.post(prefix, order.body, Idempotency_Key=order.key)
    assert (again.status_code, again.json()) == (200, {"orderId": order.order_id})
    assert again.headers["x-idempotent-replay"] == "true"


def test_a_replay_is_told_so_also_when_its_fields_come_in_another_order(scene: Scene) -> None:
    order = scene.order(line(scene.plenty))
    turned = dict(reversed([*order.body.items()]))
    assert order.buyer.post("/api/orders", turned, Idempotency_Key=order.key).status_code == 200


def test_a_key_stands_for_one_body(scene: Scene) -> None:
    order = scene.order(line(scene.plenty))
    other = order.buyer.post("/api/orders", body(scene, order.buyer), Idempotency_Key=order.key)
    assert refused(other, 422)["error_code"] == "IDEMPOTENCY_KEY_REUSED"


def test_a_key_belongs_to_its_caller(scene: Scene) -> None:
    key, first, second = unique("key"), scene.caller("buyer"), scene.caller("buyer")
    answers = [caller.post("/api/orders", body(scene, caller), Idempotency_Key=key) for caller in (first, second)]
    assert [answer.status_code for answer in answers] == [201, 201]


def test_a_refused_attempt_leaves_its_key_free(scene: Scene) -> None:
    key, right = unique("key"), body(scene, scene.buyer)
    wrong = {"cartSnapshot": right["cartSnapshot"] | {"signature": "0" * 64}}
    refused(scene.buyer.post("/api/orders", wrong, Idempotency_Key=key), 422)
    assert scene.buyer.post("/api/orders", right, Idempotency_Key=key).status_code == 201


def test_one_snapshot_makes_one_order(scene: Scene) -> None:
    order = scene.order(line(scene.plenty))
    second = order.buyer.post("/api/orders", order.body, Idempotency_Key=unique("key"))
    assert refused(second, 409)["error_code"] == "SNAPSHOT_ALREADY_ORDERED"


def test_two_at_the_same_moment_with_one_key_are_one_order(scene: Scene, behind: Behind) -> None:
    article, buyer, key = scene.article(), scene.buyer, unique("key")
    wanted = body(scene, buyer, line(article))
    with ThreadPoolExecutor(4) as tills:
        sent = [tills.submit(buyer.post, "/api/orders", wanted, Idempotency_Key=key) for _ in range(4)]
        answers = [each.result() for each in sent]
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    (order_id,) = {answer.json()["orderId"] for answer in answers}
    behind.settle(order_id)
    assert scene.level(article) == (9, 0, 9)
    assert len(behind.charges(order_id)) == 1


def test_a_key_has_to_be_sent(scene: Scene) -> None:
    refused(scene.buyer.post("/api/orders", body(scene, scene.buyer)), 422)


@pytest.mark.parametrize("key", ["", "x" * 256], ids=["empty", "256 characters"])
def test_a_key_has_to_be_one(scene: Scene, key: str) -> None:
    refused(scene.buyer.post("/api/orders", body(scene, scene.buyer), Idempotency_Key=key), 422)


def test_a_key_may_have_255_characters(scene: Scene) -> None:
    key = unique("key").ljust(255, "x")
    assert scene.buyer.post("/api/orders", body(scene, scene.buyer), Idempotency_Key=key).status_code == 201


@pytest.mark.parametrize(
    "tampered",
    [
        {"signature": "0" * 64},
        {"signature": "not hexadecimal"},
        {"signature": None},
        {"cartVersion": 2},
        {"items": []},
        {"currency": "EUR"},
        {"extra": "field"},
    ],
    ids=str,
)
def test_a_cart_that_is_not_as_it_was_signed_is_refused(scene: Scene, tampered: Json) -> None:
    snapshot = scene.cart(scene.buyer, line(unique("SKU"))) | tampered
    answer = scene.buyer.post("/api/orders", {"cartSnapshot": snapshot}, Idempotency_Key=unique("key"))
    assert refused(answer, 422)["error"] == INVALID_SNAPSHOT


@pytest.mark.parametrize(
    "wrong",
    [
        {"totals": {"itemCount": 2, "totalQuantity": 1, "subtotalCents": 1_250, "currency": "USD"}},
        {"totals": {"itemCount": 1, "totalQuantity": 2, "subtotalCents": 1_250, "currency": "USD"}},
        {"totals": {"itemCount": 1, "totalQuantity": 1, "subtotalCents": 1, "currency": "USD"}},
        {"totals": {"itemCount": 1, "totalQuantity": 1, "subtotalCents": 1_250, "currency": "EUR"}},
        {"totals": {}},
        {"items": []},
        {"items": [line("SKU", quantity=0)]},
        {"items": [line("SKU", quantity=-1)]},
        {"items": [line("SKU", price=-1)]},
        {"items": [line("SKU") | {"unitPriceCents": 12.5}]},
        {"items": [line("SKU") | {"quantity": "1"}]},
        {"items": [line("")]},
        {"items": [line("A B")]},
        {"items": [line("SKU")] * 51},
        {"currency": "usd"},
        {"snapshotId": "1"},
        {"cartId": None},
        {"cartVersion": -1},
        {"createdAt": "yesterday"},
        {"createdAt": "2026-02-10T12:34:56"},
        pytest.param({"createdAt": (datetime.now(UTC) - timedelta(days=2)).isoformat()}, id="created two days ago"),
        pytest.param({"createdAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, id="created in an hour"),
        {"pricingSnapshot": "free"},
    ],
    ids=lambda wrong: json.dumps(wrong)[:60],
)
def test_a_signed_cart_that_makes_no_sense_is_refused(scene: Scene, wrong: Json) -> None:
    snapshot = scene.sign(scene.cart(scene.buyer, line("SKU")) | wrong)
    answer = scene.buyer.post("/api/orders", {"cartSnapshot": snapshot}, Idempotency_Key=unique("key"))
    assert refused(answer, 422)["error"] == INVALID_SNAPSHOT


def test_a_cart_may_carry_more_than_tillflow_reads(scene: Scene) -> None:
    plain = scene.cart(scene.buyer, line(scene.plenty) | {"imageUrl": "https://example.test/\u00e9.png"})
    snapshot = scene.sign(plain | {"pricingSnapshot": {"taxCents": 0, "rates": [0.5, 1e21]}, "note": "\u20ac\U0001f6d2"})
    answer = scene.buyer.post("/api/orders", {"cartSnapshot": snapshot}, Idempotency_Key=unique("key"))
    assert answer.status_code == 201
    assert scene.buyer.get(f"/api/orders/{answer.json()['orderId']}").json()["cartSnapshot"] == snapshot


def test_nobody_orders_another_users_cart(scene: Scene) -> None:
    others = body(scene, scene.caller("buyer"))
    answer = scene.buyer.post("/api/orders", others, Idempotency_Key=unique("key"))
    assert refused(answer, 403)["error"] == "Forbidden"


def test_a_cart_of_nobody_becomes_the_order_of_who_sends_it(scene: Scene) -> None:
    nobodys = scene.sign(scene.cart(scene.buyer, line(scene.plenty)) | {"userId": None})
    answer = scene.buyer.post("/api/orders", {"cartSnapshot": nobodys}, Idempotency_Key=unique("key"))
    assert answer.status_code == 201
    assert scene.buyer.get(f"/api/orders/{answer.json()['orderId']}").json()["userId"] == scene.buyer.user_id


@PREFIXES
def test_without_a_token_nothing_is_ordered_read_or_canceled(scene: Scene, prefix: str) -> None:
    """The emulator answers API Gateway's own 401 (`{"message"}`); AWS takes our GatewayResponse's body."""
    wanted = body(scene, scene.buyer)
    answers = [
        scene.anonymous.post(prefix, json=wanted, headers={"Idempotency-Key": unique("key")}),
        scene.anonymous.get(f"{prefix}/{uuid4()}"),
        scene.anonymous.post(f"{prefix}/{uuid4()}/cancel"),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401]


# Read


@PREFIXES
def test_an_order_is_shown_as_the_contract_represents_it(scene: Scene, prefix: str) -> None:
    order = scene.order(line(scene.plenty, quantity=3))
    shown = order.buyer.get(f"{prefix}/{order.order_id}").json()
    snapshot = order.body["cartSnapshot"]
    assert shown.keys() == REPRESENTATION
    assert shown["id"] == order.order_id == order_id_of(snapshot["snapshotId"])
    assert shown["status"] in {"pending", "confirmed"}
    assert (shown["currency"], shown["userId"]) == ("USD", order.buyer.user_id)
    assert shown["totals"] == {"itemCount": 1, "totalQuantity": 3, "subtotalCents": 3_750, "currency": "USD"}
    assert shown["cartSnapshot"] == snapshot
    assert [shown[name] for name in ("cancellationReason", "canceledAt", "failureReason")] == [None, None, None]
    assert MOMENT.fullmatch(shown["createdAt"])
    assert MOMENT.fullmatch(shown["updatedAt"])
    assert shown["createdAt"] <= shown["updatedAt"]


def test_an_order_is_for_its_buyer_and_for_those_who_run_the_shop(scene: Scene) -> None:
    order = scene.order(line(scene.plenty))
    path = f"/api/orders/{order.order_id}"
    for caller in (order.buyer, scene.operator, scene.admin):
        assert caller.get(path).status_code == 200
    for caller in (scene.caller("buyer"), scene.caller("seller"), scene.manager):
        refused(caller.get(path), 403)


def test_a_token_does_not_show_up_in_an_order(scene: Scene) -> None:
    order = scene.order(line(scene.article()), card="tok_insufficient_funds")
    assert "tok_" not in order.buyer.get(f"/api/orders/{order.order_id}").text


@pytest.mark.parametrize(
    "order_id", [ids.derived("order", "nobody's"), "x", "%00", "%F0%9F%99%82", "x" * 3000], ids=lambda text: text[:12]
)
def test_an_order_that_is_not_there_is_not_found(scene: Scene, order_id: str) -> None:
    assert refused(scene.operator.get(f"/api/orders/{order_id}"), 404)["error"] == "Order not found"
    assert refused(scene.operator.post(f"/api/orders/{order_id}/cancel"), 404)["error"] == "Order not found"


# Cancel


@PREFIXES
@pytest.mark.parametrize("reason", ["customer_request", None])
def test_an_operator_cancels_an_order(scene: Scene, prefix: str, reason: str | None) -> None:
    order = scene.order(line(scene.plenty))
    answer = scene.operator.post(f"{prefix}/{order.order_id}/cancel", {"reason": reason} if reason else None)
    assert answer.status_code == 200
    assert answer.json().keys() == {"status", "order"}
    shown = answer.json()["order"]
    assert shown.keys() == REPRESENTATION
    assert (answer.json()["status"], shown["status"], shown["cancellationReason"]) == ("canceled", "canceled", reason)
    assert MOMENT.fullmatch(shown["canceledAt"])
    assert shown == scene.read(order)


def test_only_who_may_write_orders_cancels_one(scene: Scene, behind: Behind) -> None:
    order = scene.order(line(scene.article()))
    for caller in (order.buyer, scene.caller("seller"), scene.manager):
        refused(caller.post(f"/api/orders/{order.order_id}/cancel"), 403)
    behind.settle(order.order_id)
    assert scene.read(order)["status"] == "confirmed"
    assert scene.admin.post(f"/api/orders/{order.order_id}/cancel").status_code == 200


def test_what_has_ended_cannot_be_canceled(scene: Scene, behind: Behind) -> None:
    failed = scene.order(line(unique("NO-SUCH-SKU")))
    canceled = scene.order(line(scene.article()))
    assert scene.cancel(canceled).status_code == 200
    behind.settle(failed.order_id)
    behind.settle(canceled.order_id)
    for order in (failed, canceled):
        answer = refused(scene.cancel(order, "too late"), 409)
        assert answer["error"] == "Order already finalized"
        assert answer["order"] == scene.read(order)
        assert answer["order"]["cancellationReason"] != "too late"


@pytest.mark.parametrize("reason", [7, "x" * 501, ["customer_request"]], ids=lambda reason: str(reason)[:10])
def test_a_reason_is_a_short_text(scene: Scene, reason: object) -> None:
    refused(scene.operator.post(f"/api/orders/{uuid4()}/cancel", {"reason": reason}), 422)


# What every answer tells


def test_an_answer_names_the_request_and_the_trace_that_the_caller_named(scene: Scene) -> None:
    request_id, trace_id = unique("request"), str(uuid4())
    headers = {"X-Request-Id": request_id, "X-Trace-Id": trace_id.upper()}
    answer = scene.buyer.http.get(f"/api/orders/{uuid4()}", headers=headers)
    assert (answer.headers["x-request-id"], answer.headers["x-trace-id"]) == (request_id, trace_id)
    assert refused(answer, 404)["request_id"] == request_id


@pytest.mark.parametrize("odd", ["", "two words", "x" * 200, "caf\u00e9"], ids=lambda text: text[:10])
def test_an_answer_names_a_request_and_a_trace_also_when_the_caller_named_none_that_will_do(scene: Scene, odd: str) -> None:
    named = {"X-Request-Id": odd.encode("latin-1"), "X-Trace-Id": odd.encode("latin-1")}
    headers = [(name.encode(), text) for name, text in named.items()]
    answer = scene.buyer.http.get(f"/api/orders/{uuid4()}", headers=headers)
    assert answer.headers["x-request-id"] not in {odd, ""}
    assert UUID(answer.headers["x-trace-id"])
