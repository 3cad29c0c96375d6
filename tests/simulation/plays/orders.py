"""What buyers and operators do with orders, and what they may rely on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.faults.client import Line, cart
from tests.faults.passing import START
from tests.simulation.scene import MARGIN_SECONDS, Asks, Evening, Request, Scene, Sent
from tests.simulation.shop import BUYERS, OPERATORS, PLENTY, SKUS
from tillflow.contexts.orders.rules import order_id_of
from tillflow.contexts.orders.store import _order
from tillflow.storage.idempotency import LIFETIME_SECONDS
from tillflow.values import clock, ids

CREATE, CANCEL, LOOK = "POST /api/orders", "POST /api/orders/{orderId}/cancel", "GET /api/orders/{orderId}"
# The tokens that pay.
_PAY = (None, "tok_success", "tok_timeout_after_charge")
_RANK = {"pending": 0, "confirmed": 1, "failed": 2, "canceled": 2}


def orders(*tokens: str | None) -> Asks:
    """Return the play of a buyer who orders what is in a cart, paying with one of *tokens*."""

    def asks(scene: Scene) -> Request:
        user, dice = scene.dice.choice(BUYERS), scene.dice
        earlier = scene.earlier(CREATE)
        if earlier and dice.random() < 0.1:
            return _the_same_cart(scene, dice.choice(earlier))
        lines = [_line(scene) for _ in range(dice.choice((1, 1, 1, 2, 2, 4)))]
        odd = dice.choice((*[_fine] * 20, *[_old] * 3, _too_old, _unsigned, _miscounted, _of_another))
        snapshot, codes = odd(f"{scene.number} {dice.random()}", lines, user, scene)
        body = {"cartSnapshot": snapshot, "paymentToken": dice.choice(tokens)}
        return Request(CREATE, user, "buyer", body, key=f"order {scene.number}", codes=codes or _IN_TIME, succeeds=not codes)

    return asks


def _line(scene: Scene) -> Line:
    sku = scene.dice.choice((*SKUS, PLENTY, PLENTY, "UNKNOWN") if scene.dice.random() < 0.3 else SKUS[:-1])
    return sku, scene.dice.choice((1, 1, 1, 2, 3)), scene.dice.choice((0, 90, 150, 1990))


def _the_same_cart(scene: Scene, earlier: Request) -> Request:
    """Return the order of a cart that was ordered before, under another key: one snapshot is one order."""
    return replace(earlier, key=f"order {scene.number}")


type _Odd = tuple[dict[str, Any], frozenset[str]]
# What may become of a good cart: it has been ordered, or has become too old.
_IN_TIME = frozenset({"SNAPSHOT_ALREADY_ORDERED", "INVALID_SNAPSHOT"})
_INVALID = frozenset({"INVALID_SNAPSHOT"})


def _fine(name: str, lines: list[Line], user: str, scene: Scene) -> _Odd:
    return cart(name, lines, user=user, at=scene.moment - timedelta(seconds=scene.dice.uniform(-200, 600))), frozenset()


def _old(name: str, lines: list[Line], user: str, scene: Scene) -> _Odd:
    # Replays come when it has become too old: they are replays all the same.
    return cart(name, lines, user=user, at=scene.moment - timedelta(hours=23, minutes=50)), frozenset()


def _too_old(name: str, lines: list[Line], user: str, scene: Scene) -> _Odd:
    return cart(name, lines, user=user, at=scene.moment - timedelta(hours=25)), _INVALID


def _unsigned(name: str, lines: list[Line], user: str, scene: Scene) -> _Odd:
    return cart(name, lines, user=user, at=scene.moment) | {"signature": "0" * 64}, _INVALID


def _miscounted(name: str, lines: list[Line], user: str, scene: Scene) -> _Odd:
    totals = {"itemCount": len(lines), "totalQuantity": 1, "subtotalCents": 1, "currency": "EUR"}
    return cart(name, lines, user=user, at=scene.moment, totals=totals), _INVALID


def _of_another(name: str, lines: list[Line], _user: str, scene: Scene) -> _Odd:
    return cart(name, lines, user="nobody", at=scene.moment), frozenset({"SNAPSHOT_NOT_YOURS"})


def _order_of(request: Request) -> str:
    assert request.body
    return order_id_of(request.body["cartSnapshot"]["snapshotId"])


def _some_order(scene: Scene) -> tuple[str, str]:
    """Return the id of an order that may be there, and its buyer."""
    earlier = scene.earlier(CREATE)
    if not earlier or scene.dice.random() < 0.03:
        return ids.derived("order", "none"), scene.dice.choice(BUYERS)
    request = scene.dice.choice(earlier[-5:])
    return _order_of(request), request.user


def cancels(scene: Scene) -> Request:
    """Return the request of an operator to cancel an order."""
    order_id, _ = _some_order(scene)
    codes = frozenset({"ORDER_ALREADY_FINALIZED", "ORDER_NOT_FOUND"})
    body = {"reason": f"reason {scene.number}"}
    return Request(CANCEL, scene.dice.choice(OPERATORS), "operator", body, path={"orderId": order_id}, codes=codes)


def looks(scene: Scene) -> Request:
    """Return the request of somebody to see an order: its buyer, an operator, or somebody whom it does not concern."""
    order_id, buyer = _some_order(scene)
    if scene.dice.random() < 0.3:
        user, role = scene.dice.choice(OPERATORS), "operator"
    else:
        user, role = scene.dice.choice((buyer, buyer, *BUYERS)), "buyer"
    codes = frozenset({"ORDER_NOT_FOUND"} | ({"FORBIDDEN"} if role == "buyer" and user != buyer else set()))
    return Request(LOOK, user, role, path={"orderId": order_id}, codes=codes)


# --- what they may rely on


def orders_are_as_told(evening: Evening) -> None:
    """Whoever was told of an order has it, as signed; every order was asked for; what pays is paid, and nothing else."""
    stored = {item["pk"].removeprefix("ORDER#"): _order(item) for item in evening.items("OrdersTable")}
    asked = {}
    for sent in evening.sent(CREATE):
        order_id, request = _order_of(sent.request), sent.request
        assert request.body
        if request.succeeds:
            asked[order_id] = request.body
        if sent.succeeded:
            assert sent.body == {"orderId": order_id}, f"{sent.number} was told of another order"
            assert order_id in stored, f"{sent.number} was told of an order that is not there"
            order = stored[order_id]
            assert (order.user_id, order.snapshot) == (request.user, request.body["cartSnapshot"]), "the order is not as signed"
        if sent.refused and request.succeeds:
            _check_refusal(sent, evening)
    assert stored.keys() <= asked.keys(), "an order that nobody placed"
    for order_id, order in stored.items():
        lines = {line["skuId"] for line in order.snapshot["items"]}
        tokens = {
            sent.request.body["paymentToken"]
            for sent in evening.sent(CREATE)
            if sent.request.body and _order_of(sent.request) == order_id
        }
        if order.status == "confirmed":
            assert tokens & set(_PAY) or not order.total, "confirmed, but not paid"
            assert lines <= set(SKUS[:-1]), "confirmed, though it cannot be had"
        if lines == {PLENTY}:
            assert order.failure_reason in (None, "PAYMENT_FAILED", "PROCESSING_FAILED", "STOCK_RELEASED"), (
                "refused, though there is enough"
            )
        if tokens <= set(_PAY):
            assert order.failure_reason != "PAYMENT_FAILED", "the card was not declined"


def _check_refusal(sent: Sent, evening: Evening) -> None:
    """A good cart is refused where it has become an order under another key, or too old."""
    order_id, code = _order_of(sent.request), sent.body["error_code"]
    if code == "SNAPSHOT_ALREADY_ORDERED":
        others = [each for each in evening.sent(CREATE) if _order_of(each.request) == order_id and each.since < sent.until]
        is_expired = sent.since > min(each.since for each in others) + LIFETIME_SECONDS - MARGIN_SECONDS
        assert is_expired or {each.request.key for each in others} != {sent.request.key}, (
            f"{sent.number}'s cart was not ordered before"
        )
    if code == "INVALID_SNAPSHOT":
        assert sent.request.body
        made = (clock.parse(sent.request.body["cartSnapshot"]["createdAt"]) - START).total_seconds()
        in_time = made < sent.since and sent.until < made + 86_400 - MARGIN_SECONDS
        assert not in_time, f"{sent.number}'s cart is in time"


def cancellations_are_as_told(evening: Evening) -> None:
    """An order is canceled once, by whoever was told so; who was refused had no order to cancel."""
    stored = {item["pk"].removeprefix("ORDER#"): item for item in evening.items("OrdersTable")}
    for sent in evening.sent(CANCEL):
        order = stored.get((sent.request.path or {})["orderId"])
        if sent.succeeded:
            assert order, "what is not there was canceled"
            told = sent.body["order"]
            assert (order["status"], order["canceled_at"]) == ("canceled", told["canceledAt"]), (
                f"{sent.number}'s cancellation does not stand"
            )
            assert sent.request.body
            assert order["cancellation_reason"] == sent.request.body["reason"], f"{sent.number}'s cancellation is another's"
        elif sent.refused and sent.status == 409:
            assert order, "what is not there was refused as ended"
            assert order["status"] == sent.body["order"]["status"] in ("failed", "canceled"), (
                f"{sent.number} was refused without a reason"
            )


def looks_are_true(evening: Evening) -> None:
    """Nobody sees an order go back: pending, then confirmed, then ended; and none before it was there, or after it was gone."""
    seen: dict[str, list[Sent]] = {}
    created = {_order_of(sent.request): sent.until for sent in reversed(evening.sent(CREATE)) if sent.succeeded}
    owners = {item["pk"].removeprefix("ORDER#"): item["user_id"] for item in evening.items("OrdersTable")}
    for sent in sorted(evening.sent(LOOK), key=lambda sent: sent.until):
        order_id = (sent.request.path or {})["orderId"]
        if sent.status == 404:
            assert sent.since < created.get(order_id, sent.until), f"{sent.number} did not see an order that was there"
        if sent.status == 403:
            assert owners.get(order_id) != sent.request.user, f"{sent.number} may not see their own order"
        if sent.succeeded:
            assert sent.request.role == "operator" or owners.get(order_id) == sent.request.user, (
                f"{sent.number} sees another's order"
            )
            before = [each for each in seen.get(order_id, []) if each.until < sent.since]
            assert all(_RANK[each.body["status"]] <= _RANK[sent.body["status"]] for each in before), "an order went back"
            seen.setdefault(order_id, []).append(sent)
