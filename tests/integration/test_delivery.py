"""Events come twice, late, from strangers, or not at all: the end is the same."""

import base64
import json
from typing import Any

from local.wait import until
from tests.integration.behind import Behind, envelope
from tests.integration.scene import Article, Order, Scene, line
from tests.integration.test_saga import FORWARD, PAID, PLACED, UNDO
from tillflow.contexts.orders import tables
from tillflow.storage.attributes import to_item

STOCK = 10
SECONDS = 30


def audited(scene: Scene, order: Order) -> list[dict[str, Any]]:
    answer = scene.operator.get("/api/stocks/release-events", orderId=order.order_id)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["content"])


def reserve(behind: Behind, order: Order) -> None:
    """Take the saga's first step, and no other."""
    behind.invoke("ReserveStockFunction", {"order_id": order.order_id})


def ask_for_release(behind: Behind, order: Order) -> None:
    """Ask, as a stranger on the bus, for what the order holds."""
    wanted = envelope("InventoryReleaseRequested", {"order_id": order.order_id, "reason": "FRAUD"}, order.trace_id)
    behind.put_event("fraud.screening", "InventoryReleaseRequested", wanted)


def start_saga_again(behind: Behind, event: dict[str, Any]) -> None:
    behind.put_event("tillflow.orders", "OrderCreated", event)


def event_of(behind: Behind, order: Order, kind: str) -> dict[str, Any]:
    return next(event for event in behind.events(order.trace_id, kind) if event["event_type"] == kind)


def overdue(behind: Behind, order: Order) -> None:
    """Let the order's deadline have passed."""
    behind.aws.dynamodb.update_item(
        TableName=behind.stack.tables["OrdersTable"],
        Key=to_item(tables.order_key(order.order_id)),
        UpdateExpression="SET due_at = :past",
        ConditionExpression="attribute_exists(unsettled)",
        ExpressionAttributeValues=to_item({":past": "2026-01-01T00:00:00.000Z"}),
    )


def confirmed(scene: Scene, behind: Behind, article: Article) -> Order:
    order = scene.order(line(article, 2))
    behind.settle(order.order_id)
    assert scene.read(order)["status"] == "confirmed"
    return order


def test_an_order_created_twice_on_the_bus_changes_nothing(scene: Scene, behind: Behind) -> None:
    article = scene.article(STOCK)
    order = confirmed(scene, behind, article)
    before = scene.read(order), behind.events(order.trace_id, *PAID)
    start_saga_again(behind, event_of(behind, order, "OrderCreated"))
    runs = behind.settle(order.order_id, runs=2)
    assert [run.states for run in runs] == [FORWARD, FORWARD]
    assert (scene.read(order), behind.events(order.trace_id, *PAID)) == before
    assert scene.level(article) == (STOCK - 2, 0, STOCK - 2)
    assert len(behind.charges(order.order_id)) == 1


def test_a_cancellation_twice_on_the_bus_refunds_and_restocks_once(scene: Scene, behind: Behind) -> None:
    article = scene.article(STOCK)
    order = confirmed(scene, behind, article)
    assert scene.cancel(order).status_code == 200
    behind.settle(order.order_id, runs=2)
    expected = (*PAID, "orders.order_canceled.v1", "InventoryReleased")
    before = scene.read(order), behind.events(order.trace_id, *expected)
    canceled = event_of(behind, order, "orders.order_canceled.v1")
    behind.put_event("tillflow.orders", "orders.order_canceled.v1", canceled)
    behind.settle(order.order_id, runs=3)
    assert (scene.read(order), behind.events(order.trace_id, *expected)) == before
    assert scene.level(article) == (STOCK, 0, STOCK)
    assert len(audited(scene, order)) == 1


def test_a_release_that_a_stranger_requests_happens_once_and_the_order_fails_cleanly(scene: Scene, behind: Behind) -> None:
    article = scene.article(STOCK)
    with behind.saga_held_off():
        order = scene.order(line(article, 4))
        reserve(behind, order)
        assert scene.level(article) == (STOCK, 4, STOCK - 4)
        created = event_of(behind, order, "OrderCreated")
        for _ in range(2):
            ask_for_release(behind, order)
        (released,) = until(lambda: audited(scene, order) or None, seconds=SECONDS, what="the release")
    assert (released["reason"], released["releasedItems"]) == ("FRAUD", [{"skuId": article.sku, "quantity": 4}])
    assert scene.level(article) == (STOCK, 0, STOCK)
    start_saga_again(behind, created)
    (run,) = behind.settle(order.order_id)
    assert run.states == ["ReserveStock", *UNDO]
    assert scene.read(order)["status"] == "failed"
    assert scene.level(article) == (STOCK, 0, STOCK)
    assert behind.charges(order.order_id) == []
    assert audited(scene, order) == [released]
    told = [event["event_type"] for event in behind.events(order.trace_id, "InventoryReleased")]
    asked = ["InventoryReleaseRequested"] * 2  # The stranger's own events are on the bus, and so in the log.
    assert sorted(told) == sorted([*PLACED, "InventoryReserved", "InventoryReleased", *asked])


def test_a_release_requested_of_an_order_that_holds_nothing_does_nothing(scene: Scene, behind: Behind) -> None:
    article = scene.article(STOCK)
    order = confirmed(scene, behind, article)
    requests = behind.queue("ReleaseRequestsQueue")
    ask_for_release(behind, order)
    # What is asked of another order meanwhile shows that the queue has been worked off.
    with behind.saga_held_off():
        other = scene.order(line(article, 1))
        reserve(behind, other)
        ask_for_release(behind, other)
        until(lambda: audited(scene, other) or None, seconds=SECONDS, what="the other order's release")
    until(lambda: behind.messages(requests) == 0 or None, seconds=SECONDS, what="the queue to be empty")
    assert scene.read(order)["status"] == "confirmed"
    assert audited(scene, order) == []
    assert scene.level(article) == (STOCK - 2, 0, STOCK - 2)
    assert scene.cancel(other).status_code == 200
    behind.settle(other.order_id)


def test_a_lost_start_is_recovered(scene: Scene, behind: Behind) -> None:
    article = scene.article(STOCK)
    with behind.saga_held_off():
        order = scene.order(line(article, 2))
        behind.events(order.trace_id, *PLACED)
    assert behind.runs(order.order_id) == []
    assert scene.read(order)["status"] == "pending"
    overdue(behind, order)
    behind.invoke("ResumeStuckOrdersFunction", {})
    (run,) = behind.settle(order.order_id)
    assert run.states == FORWARD
    assert scene.read(order)["status"] == "confirmed"
    assert scene.level(article) == (STOCK - 2, 0, STOCK - 2)


def test_an_order_that_is_not_overdue_is_left_alone(scene: Scene, behind: Behind) -> None:
    with behind.saga_held_off():
        order = scene.order(line(scene.plenty))
        behind.events(order.trace_id, *PLACED)
    behind.invoke("ResumeStuckOrdersFunction", {})
    assert behind.runs(order.order_id) == []
    assert scene.cancel(order).status_code == 200
    behind.settle(order.order_id)


def test_a_saga_that_was_lost_between_two_steps_goes_on(scene: Scene, behind: Behind) -> None:
    article = scene.article(STOCK)
    with behind.saga_held_off():
        order = scene.order(line(article, 2))
        reserve(behind, order)
        behind.events(order.trace_id, *PLACED, "InventoryReserved")
    overdue(behind, order)
    behind.invoke("ResumeStuckOrdersFunction", {})
    behind.settle(order.order_id)
    assert scene.read(order)["status"] == "confirmed"
    assert scene.level(article) == (STOCK - 2, 0, STOCK - 2)
    assert len(behind.charges(order.order_id)) == 1
    assert len(behind.events(order.trace_id, *PAID)) == len(PAID)


def test_what_a_stranger_says_of_an_order_on_the_bus_decides_nothing(scene: Scene, behind: Behind) -> None:
    log, dead = behind.queue("EventLogQueue"), behind.queue("EventLogDeadLetters")
    with behind.saga_held_off():
        order = scene.order(line(scene.article(STOCK), 2))
        created = event_of(behind, order, "OrderCreated")
    forged = created | {"identity": {"user_id": 1.5, "roles": "admin"}, "trace_id": "t", "occurred_at": 0}
    with behind.impatient(log):
        start_saga_again(behind, forged)
        behind.settle(order.order_id)
        until(lambda: behind.messages(dead) == 1 or None, seconds=SECONDS, what="what is no event in the dead letters")
    (letter,) = behind.drain(dead)
    assert json.loads(letter)["detail"] == forged
    assert scene.read(order)["status"] == "confirmed"
    told = behind.events(order.trace_id, *PAID)
    assert all(event["identity"] == {"user_id": order.buyer.user_id, "roles": ["buyer"]} for event in told)
    assert len(behind.charges(order.order_id)) == 1


def test_an_unreadable_record_of_a_stream_steps_aside_for_the_orders_behind_it(scene: Scene, behind: Behind) -> None:
    dead = behind.queue("PublishDeadLetters")
    junk = [("IdempotencyTable", to_item({"pk": "junk"})), ("OrdersTable", to_item({"pk": "junk", "sk": "junk"}))]
    for table, key in junk:
        behind.aws.dynamodb.put_item(TableName=behind.stack.tables[table], Item=key | to_item({"outbox": b"junk"}))
    confirmed(scene, behind, scene.plenty)
    for table, key in junk:
        behind.aws.dynamodb.delete_item(TableName=behind.stack.tables[table], Key=key)
    until(lambda: behind.messages(dead) == 2 or None, seconds=SECONDS, what="the dead letters")
    letters = [json.loads(body) for body in behind.drain(dead)]
    assert [letter["key"]["pk"] for letter in letters] == [{"S": "junk"}] * 2
    assert all(base64.b64decode(letter["outbox"]) == b"junk" for letter in letters)


def test_garbage_among_release_requests_ends_in_the_dead_letters_and_the_others_proceed(scene: Scene, behind: Behind) -> None:
    requests, dead = behind.queue("ReleaseRequestsQueue"), behind.queue("ReleaseRequestsDeadLetters")
    garbage = ["no JSON", "{}", '{"detail": {"trace_id": "t", "data": {"order_id": "none"}}}']
    article = scene.article(STOCK)
    with behind.impatient(requests), behind.saga_held_off():
        order = scene.order(line(article, 2))
        reserve(behind, order)
        sent = [behind.aws.sqs.send_message(QueueUrl=requests, MessageBody=body)["MessageId"] for body in garbage]
        ask_for_release(behind, order)
        until(lambda: audited(scene, order) or None, seconds=SECONDS, what="the release")
        until(lambda: behind.messages(dead) == len(garbage) or None, seconds=SECONDS, what="the dead letters")
    assert sorted(behind.drain(dead)) == sorted(garbage)
    assert behind.messages(requests) == 0
    failed = [text for text in behind.log_lines() if "message failed" in text]
    assert {message: sum(message in text for text in failed) for message in sent} == dict.fromkeys(sent, 5)
    assert scene.level(article) == (STOCK, 0, STOCK)
    assert scene.cancel(order).status_code == 200
    behind.settle(order.order_id)


def test_an_event_that_is_none_ends_in_the_dead_letters_and_the_others_are_logged(scene: Scene, behind: Behind) -> None:
    queue, dead = behind.queue("EventLogQueue"), behind.queue("EventLogDeadLetters")
    with behind.impatient(queue):
        behind.put_event("tillflow.stranger", "NoEnvelope", {"hello": "world"})
        order = confirmed(scene, behind, scene.plenty)
        behind.events(order.trace_id, *PAID)
        until(lambda: behind.messages(dead) == 1 or None, seconds=SECONDS, what="the dead letter")
    (letter,) = behind.drain(dead)
    assert '"hello"' in letter
