"""What holds of every answer, whatever was asked: it is a right one, and the same key is the same answer."""

from collections import defaultdict

from tests.simulation.scene import MARGIN_SECONDS, Evening, Sent
from tillflow.storage.idempotency import LIFETIME_SECONDS

_REUSED = frozenset({"IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_CONFLICT"})

_ASKED_AGAIN = 5
_AUDIT = "stock/audit_stock"
# What was told of a reservation, and of a payment, by how it stands. (What is refused may have been closed before it was made.)
_OF_STOCK = {
    "pending": {"InventoryReserved"},
    "posted": {"InventoryReserved"},
    "released": {"InventoryReserved", "InventoryReleased"},
    "returned": {"InventoryReserved", "InventoryReleased"},
}
_OF_PAYMENT = {"succeeded": {"PaymentSucceeded"}, "refunded": {"PaymentSucceeded"}, "failed": {"PaymentFailed"}}

type Key = tuple[str, str, str]


def answers_are_right(evening: Evening) -> None:
    """Hold every answer against what may be answered to its request."""
    by_key: defaultdict[Key, list[Sent]] = defaultdict(list)
    for sent in evening.history:
        assert sent.status != 500, f"{sent.number} met an unexpected error"
        if sent.request.key:
            by_key[_key_of(sent)].append(sent)
    for sent in evening.history:
        key = sent.request.key
        used = by_key[_key_of(sent)] if key else []
        _check_answer(sent, reused=any(other.request.body != sent.request.body for other in used))
    for attempts in by_key.values():
        _check_key(attempts)


def replays_are_told_the_same(evening: Evening) -> None:
    """Who sends again what was granted, when everything is quiet and the key still lives, is told what the first was told."""
    now = max((sent.since for sent in evening.history), default=0.0)
    told: dict[Key, Sent] = {}
    for sent in evening.history:
        if sent.succeeded and sent.request.key and sent.since > now - LIFETIME_SECONDS / 2:
            told.setdefault(_key_of(sent), sent)
    for sent in list(told.values())[-_ASKED_AGAIN:]:
        again = evening.ask(sent.request)
        assert again.replayed, f"{sent.number} took effect again: {again.status}"
        assert again.body == sent.body, f"{sent.number} was told otherwise the second time"


def events_are_complete(evening: Evening) -> None:
    """What became of an order was told to everybody, as a part of the order's own trace; and nothing that did not happen."""
    told: defaultdict[str, set[str]] = defaultdict(set)
    orders = {item["pk"].removeprefix("ORDER#"): item for item in evening.items("OrdersTable")}
    for event in evening.published:
        if event["source"].startswith("tillflow.") and "order_id" in event["detail"]["data"]:
            order_id = event["detail"]["data"]["order_id"]
            told[order_id].add(event["detail-type"])
            assert event["detail"]["trace_id"] == orders[order_id]["trace_id"], (
                f"{event['detail-type']} has lost its order's trace"
            )
    stock = {
        item["order_id"]: item for item in evening.items("StockTable") if item.get("type") == "OUTBOUND" and "order_id" in item
    }
    payments = {item["pk"].removeprefix("PAYMENT#"): item["status"] for item in evening.items("PaymentsTable")}
    for order_id, order in orders.items():
        happened = {"OrderCreated", "orders.order_placed.v1"}
        happened |= {"orders.order_canceled.v1"} if order["status"] == "canceled" else set()
        happened |= _OF_STOCK.get(stock.get(order_id, {}).get("status", ""), set())
        happened |= _OF_PAYMENT.get(payments.get(order_id, ""), set())
        missing = happened - told[order_id]
        assert not missing, f"nobody was told: {', '.join(sorted(missing))}"
        more = told[order_id] - happened - {"InventoryFailed", "InventoryReleaseRequested"}
        assert not more, f"everybody was told what did not happen: {', '.join(sorted(more))}"


def audits_cry_no_wolf(evening: Evening) -> None:
    """Whatever went on while it looked, no audit of stock has found anything; and of a quiet shop it proves every level."""
    for function, answer in evening.answers:
        if function == _AUDIT:
            assert not answer["found"], f"an audit cried wolf: {answer['differences'] or answer['returns']}"
    found = evening.run(_AUDIT, {"everything": True})
    assert not found["found"], f"an audit found what nobody did: {found['differences'] or found['returns']}"
    assert not found["unproven"], f"an audit could not prove a level that nothing moved: {found['unproven']}"


PROMISES = (answers_are_right, replays_are_told_the_same, events_are_complete, audits_cry_no_wolf)


def _check_answer(sent: Sent, *, reused: bool) -> None:
    if sent.succeeded:
        assert sent.request.succeeds, f"{sent.number} was granted what cannot be"
    if sent.refused:
        code = sent.body["error_code"]
        assert code in sent.request.codes | (_REUSED if reused else frozenset()), f"{sent.number} was refused: {code}"


def _key_of(sent: Sent) -> Key:
    """Return what a key is of: who sends it where, and to what."""
    return f"{sent.request.route} {sent.request.path}", sent.request.user, str(sent.request.key)


def _check_key(attempts: list[Sent]) -> None:
    """While a key lives, it has one effect and one answer."""
    end = min(sent.since for sent in attempts) + LIFETIME_SECONDS - MARGIN_SECONDS
    lived = [sent for sent in attempts if sent.until < end]
    granted = [sent for sent in lived if sent.succeeded]
    if not granted:
        return
    for sent in (each for each in granted if each.replayed):
        assert any(each.since < sent.until for each in attempts if each is not sent), (
            f"{sent.number} is replayed, yet was sent once"
        )
    first = min(granted, key=lambda sent: sent.until)
    assert all(sent.body == first.body for sent in granted), f"the key of {first.number} has two answers"
    assert sum(not sent.replayed for sent in granted) <= 1, f"the key of {first.number} has two effects"
    for sent in (each for each in lived if each.since > first.until and each.status is not None):
        if sent.request.body == first.request.body:
            assert sent.succeeded or sent.status == 503, f"{sent.number} was told otherwise than {first.number}"
        else:
            assert not sent.succeeded, f"{sent.number} has taken the key of {first.number} for something else"
