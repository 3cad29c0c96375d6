"""Consumers of events on a deployed stack: what is accepted reaches each that wants it, whoever dies on the way."""

from typing import Any
from uuid import UUID

from local.wait import until
from tests.integration.behind import SECONDS, Behind
from tests.integration.flow import Consumer, Producer, register
from tests.integration.scene import Scene, refused

_LARGE = 200 * 1024

type Json = dict[str, Any]


def test_a_client_that_knows_only_the_contract_gets_each_event_that_is_accepted_after_it_registered(
    scene: Scene, producer: Producer
) -> None:
    consumer = register(scene, producer)
    expected = producer.send(7)
    came = [each["event_id"] for each in consumer.gets(expected, limit=3)]
    assert sorted(came) == sorted(expected)
    assert consumer.fetch() == {"events": [], "ack": []}
    shown = consumer.shown()
    assert (shown["backlog"], shown["in_flight"], shown["dead_letters"]) == (0, 0, 0)
    assert shown["oldest_age_seconds"] is None


def test_two_pollers_share_the_work_and_what_one_that_dies_was_given_comes_to_the_other(scene: Scene, producer: Producer) -> None:
    consumer = register(scene, producer, lease_seconds=2)
    expected = producer.send(8)
    lost = until(lambda: consumer.fetch(poller="dies", limit=3, wait=2)["events"] or None, seconds=SECONDS, what="an event")
    came = consumer.gets(expected, poller="lives")
    again = {each["event_id"] for each in came if each["delivery_count"] > 1}
    assert {each["event_id"] for each in lost} <= again


def test_a_hundred_large_events_are_fetched_in_several_answers(scene: Scene, producer: Producer) -> None:
    consumer = register(scene, producer, lease_seconds=300)
    expected = producer.send(100, size=_LARGE - 64)
    sizes = list[int]()
    missing = set(expected)
    while missing:
        events = consumer.fetch(limit=100, wait=5)["events"]
        sizes.append(len(events))
        missing -= {each["event_id"] for each in events}
        assert len(sizes) < 2 * len(expected), "it does not end"
    assert max(sizes) < 30
    assert sum(sizes) == len(expected)


def test_what_is_given_back_or_not_acknowledged_in_time_comes_again(scene: Scene, producer: Producer) -> None:
    consumer = register(scene, producer, ack="manual", lease_seconds=60)
    producer.send(2)
    first, second = _hold(consumer, 2)
    assert consumer.tell("nack", [first]) == ["returned"]
    assert consumer.tell("extend", [second], seconds=120) == ["extended"]
    (again,) = until(lambda: consumer.fetch(wait=2)["ack"] or None, seconds=SECONDS, what="what was given back")
    assert consumer.tell("extend", [again], seconds=1) == ["extended"]
    (late,) = until(lambda: consumer.fetch(wait=2)["ack"] or None, seconds=SECONDS, what="what was extended too briefly")
    assert consumer.tell("ack", [late, second]) == ["acknowledged"] * 2
    assert consumer.shown()["in_flight"] == 0


def _hold(consumer: Consumer, number: int) -> list[str]:
    """Fetch so many events; return what acknowledges them."""
    tokens = list[str]()

    def enough() -> list[str] | None:
        tokens.extend(consumer.fetch(wait=2)["ack"])
        return tokens if len(tokens) >= number else None

    return until(enough, seconds=SECONDS, what=f"{number} events")


def test_an_event_that_is_delivered_ten_times_in_vain_is_set_aside_and_can_be_redriven(scene: Scene, producer: Producer) -> None:
    consumer = register(scene, producer, ack="manual")
    poisoned, fine = producer.send(2)
    deliveries, done = 0, set[str]()
    while deliveries < 10 or fine not in done:
        fetched = consumer.fetch(wait=2)
        for event, token in zip(fetched["events"], fetched["ack"], strict=True):
            if event["event_id"] == poisoned:
                deliveries = event["delivery_count"]
                assert consumer.tell("nack", [token]) == ["returned"]
            else:
                assert consumer.tell("ack", [token]) == ["acknowledged"]
                done.add(event["event_id"])

    def dead() -> Json | None:
        consumer.fetch()  # SQS sets it aside when it would deliver it once more
        return next(iter(consumer.caller.get(f"{consumer.path}/dead-letters").json()["items"]), None)

    letter = until(dead, seconds=SECONDS, what="the dead letter")
    assert (letter["event_id"], letter["deliveries"]) == (poisoned, 10)
    assert consumer.caller.post(f"{consumer.path}/dead-letters/{poisoned}/redrive").status_code == 202
    (event,) = consumer.gets([poisoned])
    assert (event["replayed"], event["delivery_count"]) == (True, 1)
    assert consumer.caller.get(f"{consumer.path}/dead-letters").json()["items"] == []


def test_a_paused_consumer_gets_its_events_when_it_is_resumed(scene: Scene, producer: Producer) -> None:
    consumer = register(scene, producer)
    assert consumer.caller.post(f"{consumer.path}/pause").json()["status"] == "PAUSED"
    expected = producer.send(2)
    until(lambda: consumer.shown()["backlog"] == len(expected) or None, seconds=SECONDS, what="a backlog")
    assert consumer.shown()["oldest_age_seconds"] >= 0
    assert consumer.fetch(wait=1) == {"events": [], "ack": [], "paused": True}
    assert consumer.caller.post(f"{consumer.path}/resume").json()["status"] == "ACTIVE"
    consumer.gets(expected)


def _queues(behind: Behind, consumer: Consumer) -> list[str]:
    """Return the URLs of a consumer's queues, of which there is one at most."""
    urls = behind.aws.sqs.list_queues().get("QueueUrls", [])
    return [url for url in urls if url.endswith(UUID(consumer.consumer_id).hex)]


def test_a_deleted_consumer_leaves_no_queue_behind(scene: Scene, behind: Behind, producer: Producer) -> None:
    consumer = register(scene, producer)
    assert len(_queues(behind, consumer)) == 1
    assert consumer.caller.http.delete(consumer.path).status_code == 204
    assert _queues(behind, consumer) == []
    refused(consumer.caller.get(f"{consumer.path}/events"), 404)


def test_a_queue_that_somebody_deletes_is_made_again(scene: Scene, behind: Behind, producer: Producer) -> None:
    consumer = register(scene, producer)
    (url,) = _queues(behind, consumer)
    behind.aws.sqs.delete_queue(QueueUrl=url)
    body = refused(consumer.caller.get(f"{consumer.path}/events"), 503)
    assert body["error_code"] == "CONSUMER_QUEUE_MISSING"

    behind.invoke("TendConsumersFunction", {})  # as it is every minute

    assert "broken_at" not in consumer.shown()
    consumer.gets(producer.send(1))


def test_what_is_no_token_of_a_consumer_s_is_refused_by_its_number(scene: Scene, producer: Producer) -> None:
    one, other = register(scene, producer, ack="manual"), register(scene, producer, ack="manual")
    producer.send(1)
    (token,) = _hold(one, 1)
    for bad in (token, "nonsense", ""):
        body = refused(other.caller.post(f"{other.path}/ack", {"ack": [bad]}), 400)
        assert "ack.0" in body["message"]
