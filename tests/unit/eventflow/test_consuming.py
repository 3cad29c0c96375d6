"""Consumers through the API: who gets which events, what acknowledges them, and what is said when something cannot be."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from tests import consumers, producers
from tests.consumers import Consumer
from tests.producers import Producer
from tests.world import World
from tillflow.contexts.eventflow import eventlog, leases, queuedeleting, queues, registry, subscribers
from tillflow.contexts.eventflow.pointers import Pointer
from tillflow.errors import Unavailable
from tillflow.runtime import aws
from tillflow.storage.attributes import to_item
from tillflow.values import clock, ids
from tillflow.web import paging


def sent(producer: Producer, *types: str, **fields: Any) -> list[str]:
    """Have one event of each type accepted and routed; return their ids."""
    found = [producer.send(each, **fields).json["event_id"] for each in types]
    assert producer.deliver() == []
    return found


def at_later(seconds: float) -> Any:
    """Let it be later."""
    moment = clock.now() + timedelta(seconds=seconds)
    return patch.object(clock, "now", lambda: moment)


# --- registration


def test_a_consumer_gets_what_is_accepted_after_it_was_answered_and_only_what_it_wants(world: World) -> None:
    producer = producers.add(world)
    sent(producer, "till.opened")
    one, other = consumers.add(world, "till.opened", "shelf.*"), consumers.add(world)
    expected = sent(producer, "till.opened", "till.closed", "shelf.filled")
    # (The stream's records come again with each delivery: the first event is delivered late, to whoever wants it by then.)
    assert set(expected[::2]) <= set(one.ids(limit=100))
    assert expected[1] not in one.ids(limit=100)
    assert set(expected) <= set(other.ids(limit=100))


def test_an_event_is_delivered_as_it_was_accepted(world: World) -> None:
    consumer, producer = consumers.add(world), producers.add(world)
    (event_id,) = sent(producer, "till.opened", payload={"amount": 12.30, "sign": "é😀"})
    (event,) = consumer.fetch()["events"]
    known = {"event_id": event_id, "event_type": "till.opened", "event_version": 1, "producer_id": producer.producer_id}
    known |= {"payload": {"amount": 12.3, "sign": "é😀"}, "delivery_count": 1, "replayed": False}
    assert {name: event[name] for name in known} == known
    assert event.keys() - known.keys() == {"occurred_at", "received_at"}


def test_a_registration_is_done_once_under_its_key(world: World) -> None:
    first = consumers.register(world, "a", key="k")
    again = consumers.register(world, "a", key="k")
    assert (first.status, again.status, again.json) == (201, 201, first.json)
    assert again.headers["x-idempotent-replay"] == "true"
    assert consumers.register(world, "b", key="k").json["error_code"] == "IDEMPOTENCY_KEY_REUSED"
    assert len(world.call("GET /api/v1/consumers", roles=["service"]).json["items"]) == 1


def test_a_consumer_that_was_deleted_is_not_registered_again_under_its_key(world: World) -> None:
    first = consumers.register(world, key="k")
    assert Consumer(world, first.json["consumer_id"]).call("DELETE").status == 204
    again = consumers.register(world, key="k")
    assert (again.status, again.json) == (201, first.json)
    assert world.call("GET /api/v1/consumers", roles=["service"]).json["items"] == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"subscribed_event_types": []}, "subscribed_event_types"),
        ({"subscribed_event_types": ["a b"]}, "subscribed_event_types.0"),
        ({"subscribed_event_types": ["a*b"]}, "subscribed_event_types.0"),
        ({"subscribed_event_types": ["x" * 129]}, "subscribed_event_types.0"),
        ({"subscribed_event_types": ["a"] * 101}, "subscribed_event_types"),
        ({"ack": "sometimes"}, "ack"),
        ({"start": "yesterday"}, "start"),
        ({"start": "2999-01-01T00:00:00Z"}, "start"),
        ({"lease_seconds": 0}, "lease_seconds"),
        ({"lease_seconds": 43_201}, "lease_seconds"),
        ({"webhook": "https://example.com"}, "webhook"),
    ],
)
def test_what_is_wrong_with_a_registration_is_named(world: World, fields: dict[str, Any], named: str) -> None:
    answer = consumers.register(world, **fields)
    assert (answer.status, answer.json["message"].partition(":")[0]) == (400, named)


def test_a_list_goes_on_where_its_token_says(world: World) -> None:
    known = {consumers.add(world).consumer_id for _ in range(5)}
    seen, query = list[str](), {"limit": "2"}
    while True:
        told = world.call("GET /api/v1/consumers", roles=["admin"], query=query).json
        seen += [each["consumer_id"] for each in told["items"]]
        if told["next_token"] is None:
            break
        query["next_token"] = told["next_token"]
    assert (len(seen), set(seen)) == (5, known)
    assert world.call("GET /api/v1/consumers", roles=["admin"], query={"next_token": "x"}).status == 400


# --- fetching, and acknowledging by it


def test_a_client_that_only_fetches_gets_each_event_once(world: World) -> None:
    consumer = consumers.add(world)
    expected = set(sent(producers.add(world), *["till.opened"] * 5))
    seen = [each for _ in range(4) for each in consumer.ids(limit=2)]
    assert (len(seen), set(seen)) == (5, expected)
    assert consumer.shown()["in_flight"] == 0


def test_one_poller_s_fetch_acknowledges_nothing_of_another_s(world: World) -> None:
    one = consumers.add(world)
    other = one.another("other")
    sent(producers.add(world), *["till.opened"] * 4)
    assert len(one.ids(limit=2)) == 2
    assert len(other.ids(limit=2)) == 2
    assert (one.ids(), one.shown()["in_flight"]) == ([], 2)


@pytest.mark.parametrize("part", [{"address": "203.0.113.8"}, {"headers": {"User-Agent": "another"}}, {"user": "another"}])
def test_another_address_program_or_credential_is_another_poller(world: World, part: dict[str, Any]) -> None:
    consumer = consumers.add(world)
    sent(producers.add(world), "till.opened")
    assert len(consumer.ids()) == 1
    path = {"id": consumer.consumer_id}
    parts = {"user": "service", "roles": ["service"], "path": path} | part
    assert world.call("GET /api/v1/consumers/{id}/events", **parts).json == {"events": [], "ack": []}
    assert consumer.shown()["in_flight"] == 1


def test_what_a_poller_that_dies_was_given_comes_again(world: World) -> None:
    consumer = consumers.add(world, lease_seconds=1)
    sent(producers.add(world), "till.opened")
    dead = consumer.another("dead").fetch()
    found = registry.find(consumer.consumer_id)
    queues.extend(found, [(held.receipt, 0) for held in leases.read(found, dead["ack"])])  # its lease ends
    (again,) = consumer.fetch()["events"]
    assert (again["event_id"], again["delivery_count"]) == (dead["events"][0]["event_id"], 2)


def test_a_paused_consumer_is_given_nothing_and_loses_nothing(world: World) -> None:
    consumer, producer = consumers.add(world), producers.add(world)
    sent(producer, "till.opened")
    assert len(consumer.ids()) == 1
    assert consumer.call("POST", "/pause").json["status"] == "PAUSED"
    assert consumer.fetch() == {"events": [], "ack": [], "paused": True}
    assert consumer.shown()["in_flight"] == 0  # what it had been given was acknowledged by that
    expected = sent(producer, "till.closed")
    assert consumer.call("POST", "/resume").json["status"] == "ACTIVE"
    assert set(expected) <= set(consumer.ids())


def test_a_fetch_ends_before_its_answer_is_too_large_and_leases_no_more_than_it_hands_out(world: World) -> None:
    consumer, producer = consumers.add(world, ack="manual"), producers.add(world)
    # Each quote is two characters in JSON, and four in Lambda's answer.
    payload = {"text": '"' * 100_000}
    for _ in range(30):
        assert producer.send(payload=payload).status == 202
    producer.deliver()
    answer = consumer.call("GET", "/events", query={"limit": "100"})
    assert answer.status == 200
    assert 4_000_000 < len(json.dumps(answer.text).encode()) < 6_000_000
    shown = consumer.shown()
    assert shown["in_flight"] == len(answer.json["events"]) < 30
    assert shown["backlog"] + shown["in_flight"] == 30


def test_an_erased_payload_is_delivered_to_nobody_any_more(world: World) -> None:
    consumer, producer = consumers.add(world), producers.add(world)
    (event_id,) = sent(producer, "till.opened", payload={"name": "Ada"})
    assert world.call("DELETE /api/v1/events/{id}/payload", roles=["admin"], path={"id": event_id}).status == 204
    (event,) = consumer.fetch()["events"]
    assert (event["event_id"], event["payload"], event["erased"]) == (event_id, None, True)


def test_an_event_that_is_kept_no_longer_is_left_out_and_does_not_come_again(world: World) -> None:
    consumer = consumers.add(world)
    queues.send(registry.find(consumer.consumer_id), [Pointer(ids.new(), "till.opened", "p")])
    sent(producers.add(world), "till.opened")
    assert len(consumer.ids()) == 1
    assert consumer.shown()["in_flight"] == 1


def test_what_is_there_is_handed_out_although_more_cannot_be_had(world: World) -> None:
    consumer = consumers.add(world)
    sent(producers.add(world), *["till.opened"] * 15)
    receive, calls = queues.receive, list[int]()

    def once(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise Unavailable
        return receive(*arguments, **options)

    with patch.object(queues, "receive", once):
        assert len(consumer.ids(limit=100)) == 10


# --- acknowledging, giving back, taking longer


def test_what_is_acknowledged_does_not_come_again_and_what_is_given_back_does(world: World) -> None:
    consumer = consumers.add(world, ack="manual")
    sent(producers.add(world), "till.opened", "till.closed")
    fetched = consumer.fetch()
    (event_ids, (done, back)) = [each["event_id"] for each in fetched["events"]], fetched["ack"]
    assert consumer.tell("ack", [done]) == [{"event_id": event_ids[0], "status": "acknowledged"}]
    assert consumer.tell("nack", [back]) == [{"event_id": event_ids[1], "status": "returned"}]
    (again,) = consumer.fetch()["events"]
    assert (again["event_id"], again["delivery_count"]) == (event_ids[1], 2)


def test_what_fetches_of_a_manual_consumer_returned_stays_leased(world: World) -> None:
    consumer = consumers.add(world, ack="manual")
    sent(producers.add(world), "till.opened")
    assert (len(consumer.ids()), consumer.ids(), consumer.shown()["in_flight"]) == (1, [], 1)


@pytest.mark.parametrize("what", ["ack", "nack", "extend"])
def test_nothing_is_said_to_be_certain_when_its_lease_is_over(world: World, what: str) -> None:
    consumer = consumers.add(world, ack="manual")
    sent(producers.add(world), "till.opened")
    tokens = consumer.fetch()["ack"]
    with at_later(30):
        (told,) = consumer.tell(what, tokens, **({"seconds": 60} if what == "extend" else {}))
    assert told["status"] == "expired"


def test_what_is_extended_is_leased_for_longer_under_another_token(world: World) -> None:
    consumer = consumers.add(world, ack="manual")
    sent(producers.add(world), "till.opened")
    tokens = consumer.fetch()["ack"]
    (told,) = consumer.tell("extend", tokens, seconds=600)
    assert told["status"] == "extended"
    with at_later(60):
        assert consumer.tell("ack", [told["ack"]])[0]["status"] == "acknowledged"


def test_a_lease_is_no_longer_than_twelve_hours_however_often_it_is_extended(world: World) -> None:
    consumer = consumers.add(world, ack="manual")
    sent(producers.add(world), "till.opened")
    (told,) = consumer.tell("extend", consumer.fetch()["ack"], seconds=queues.LONGEST_LEASE_SECONDS)
    assert told["status"] == "extended"
    (held,) = leases.read(registry.find(consumer.consumer_id), [told["ack"]])
    assert held.until - held.since <= queues.LONGEST_LEASE_SECONDS * 1000


def _of_another(world: World, consumer: Consumer) -> str:
    del consumer
    other = consumers.add(world)
    return leases.token(registry.find(other.consumer_id), leases.Lease(ids.new(), "r", 0, 1))


def _with(*place: str) -> Callable[[World, Consumer], str]:
    return lambda _, consumer: paging.token(place, ("ack", consumer.consumer_id))


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda *_: "",
        lambda *_: "nonsense",
        lambda *_: "\ud800",
        _of_another,
        _with("e", "r", "0", "1"),
        _with(ids.new(), "", "0", "1"),
        _with(ids.new(), "r", "-1", "1"),
        _with(ids.new(), "r", "0", "1" * 40),
        _with(ids.new(), "a\nb", "0", "1"),
        _with(ids.new()),
    ],
)
@pytest.mark.parametrize(("what", "more"), [("ack", {}), ("nack", {}), ("extend", {"seconds": 1})])
def test_what_is_no_token_is_named_and_nothing_is_done(
    world: World, spoiled: Callable[[World, Consumer], str], what: str, more: dict[str, int]
) -> None:
    consumer = consumers.add(world, ack="manual")
    sent(producers.add(world), "till.opened")
    body = {"ack": [*consumer.fetch()["ack"], spoiled(world, consumer)], **more}
    answer = consumer.call("POST", f"/{what}", body)
    assert (answer.status, "ack.1" in answer.json["message"] or "JSON" in answer.json["message"]) == (400, True), answer
    assert consumer.shown()["in_flight"] == 1


def test_what_a_fetch_acknowledges_cannot_be_given_back(world: World) -> None:
    consumer = consumers.add(world)
    sent(producers.add(world), "till.opened")
    answer = consumer.call("POST", "/nack", {"ack": consumer.fetch()["ack"]})
    assert (answer.status, answer.json["error_code"]) == (409, "ACKNOWLEDGES_BY_FETCHING")


# --- dead letters


def test_dead_letters_are_listed_oldest_first_redriven_and_discarded(world: World) -> None:
    consumer = consumers.add(world, ack="manual")
    expected = sent(producers.add(world), *["till.opened"] * 5)
    assert consumers.bury(consumer) == 5
    told = consumer.call("GET", "/dead-letters", query={"limit": "3"}).json
    rest = consumer.call("GET", "/dead-letters", query={"limit": "3", "next_token": told["next_token"]}).json
    letters = told["items"] + rest["items"]
    assert ({each["event_id"] for each in letters}, rest["next_token"]) == (set(expected), None)
    assert sorted(letters, key=lambda each: str(each["dead_at"])) == letters
    assert consumer.shown()["dead_letters"] == 5

    one, two = expected[:2]
    assert consumer.call("POST", "/dead-letters/{eventId}/redrive", path={"eventId": one}).status == 202
    assert consumer.call("DELETE", "/dead-letters/{eventId}", path={"eventId": two}).status == 204
    for gone in (one, two, "nonsense", "x" * 2000):
        assert consumer.call("DELETE", "/dead-letters/{eventId}", path={"eventId": gone}).status == 404
    assert consumer.call("POST", "/dead-letters/redrive").json == {"redriven": 3, "remaining": 0}
    again = [each for each in consumer.fetch()["events"] if each["replayed"]]
    assert {each["event_id"] for each in again} == {one, *expected[2:]}


def test_a_letter_of_an_event_that_is_no_longer_kept_is_forgotten(world: World) -> None:
    consumer = consumers.add(world, ack="manual")
    (old,) = sent(producers.add(world), "till.opened")
    with at_later(60):
        assert consumers.bury(consumer) == 1
    with at_later(eventlog.RETENTION_SECONDS + 1):
        answer = consumer.call("POST", "/dead-letters/{eventId}/redrive", path={"eventId": old})
        assert (answer.status, answer.json["error_code"]) == (404, "DEAD_LETTER_NOT_FOUND")
        assert consumer.shown()["dead_letters"] == 0


def test_a_message_of_the_dead_letters_that_comes_again_is_one_letter(world: World) -> None:
    consumer = consumers.add(world, ack="manual")
    sent(producers.add(world), "till.opened")
    (event,) = consumer.fetch()["events"]
    pointer = {name: event[name] for name in ("event_id", "event_type", "producer_id", "replayed")}
    body = json.dumps(pointer | {"consumer_id": consumer.consumer_id})
    record = {"messageId": "m", "body": body, "attributes": {"SentTimestamp": "1"}}
    for _ in range(2):
        world.invoke("eventflow/keep_dead_letters", {"Records": [record]})
    assert consumer.shown()["dead_letters"] == 1


def test_what_points_nowhere_is_reported_and_the_others_are_kept(world: World) -> None:
    consumer = consumers.add(world, ack="manual")
    records = [{"messageId": "bad", "body": "{}", "attributes": {"SentTimestamp": "1"}}]
    answer = world.invoke("eventflow/keep_dead_letters", {"Records": records})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert consumer.shown()["dead_letters"] == 0


# --- changing, deleting, tending


def test_a_change_holds_for_what_is_routed_then_and_is_refused_to_whoever_has_read_an_older_one(world: World) -> None:
    consumer, producer = consumers.add(world, "till.*"), producers.add(world)
    shown = consumer.call("GET")
    changed = consumer.call("PATCH", body={"subscribed_event_types": ["shelf.*"], "lease_seconds": 60})
    assert (changed.status, changed.json["lease_seconds"], changed.json["name"]) == (200, 60, "Ledger")
    stale = consumer.call("PATCH", body={"name": "New"}, headers={"If-Match": shown.headers["ETag"]})
    assert stale.status == 412
    sent(producer, "till.opened")
    expected = sent(producer, "shelf.filled")
    assert set(consumer.ids()) == set(expected)


def test_a_deleted_consumer_is_gone_with_its_queue(world: World) -> None:
    consumer = consumers.add(world)
    url = registry.find(consumer.consumer_id).queue_url
    assert consumer.call("DELETE").status == 204
    with pytest.raises(aws.client("sqs").exceptions.QueueDoesNotExist):
        aws.client("sqs").get_queue_attributes(QueueUrl=url)
    for method, route in (
        ("GET", ""),
        ("GET", "/events"),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/pause"),
        ("GET", "/dead-letters"),
    ):
        answer = consumer.call(method, route, {"name": "x"} if method == "PATCH" else None)
        assert (answer.status, answer.json["error_code"]) == (404, "CONSUMER_NOT_FOUND"), (method, route)


@pytest.mark.parametrize("consumer_id", ["nonsense", "x" * 4000, "\ud800", ids.new()], ids=["text", "long", "half", "unknown"])
def test_a_consumer_that_is_not_there_is_not_found(world: World, consumer_id: str) -> None:
    consumer = Consumer(world, consumer_id)
    for method, route, body in (
        ("GET", "", None),
        ("GET", "/events", None),
        ("POST", "/ack", {"ack": ["x"]}),
        ("POST", "/nack", {"ack": ["x"]}),
        ("POST", "/extend", {"ack": ["x"], "seconds": 1}),
        ("GET", "/dead-letters", None),
        ("POST", "/dead-letters/redrive", None),
        ("POST", "/resume", None),
        ("DELETE", "", None),
    ):
        answer = consumer.call(method, route, body)
        assert (answer.status, answer.json["error_code"]) == (404, "CONSUMER_NOT_FOUND"), (method, route)


def test_a_queue_that_somebody_deleted_is_made_again_and_what_was_in_it_is_begun_to_be_sent_again(world: World) -> None:
    consumer, producer = consumers.add(world), producers.add(world)
    sent(producer, "till.opened")
    queuedeleting.delete(consumer.consumer_id)
    answer = consumer.call("GET", "/events")
    assert (answer.status, answer.json["error_code"]) == (503, "CONSUMER_QUEUE_MISSING")
    assert consumer.shown()["broken_at"]
    sent(producer, "till.closed")  # the others need not wait, and this one's mark is made anew

    assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 1}

    assert "broken_at" not in consumer.shown()
    assert consumer.ids() == []
    (replay,) = [item for item in world.items("EventFlowTable") if item["pk"].startswith("REPLAYS#")]
    assert (replay["status"], replay["since"]) == ("RUNNING", consumer.shown()["created_at"])
    assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 0}


def test_a_mark_that_is_made_while_a_queue_is_made_again_is_not_taken_away(world: World) -> None:
    consumer = consumers.add(world)
    queuedeleting.delete(consumer.consumer_id)
    registry.mark_broken(registry.find(consumer.consumer_id))

    def meanwhile(*_: object) -> str:
        with at_later(1):
            registry.mark_broken(registry.find(consumer.consumer_id))
        return ""

    with patch("tillflow.contexts.eventflow.queuemaking.create", meanwhile):
        assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 0}
    assert consumer.shown()["broken_at"]


def test_a_registration_that_was_given_up_is_ended_after_a_quarter_of_an_hour(world: World) -> None:
    with patch("tillflow.contexts.eventflow.queuemaking.create", side_effect=Unavailable):
        assert consumers.register(world, key="k").status == 503
    (pending,) = world.call("GET /api/v1/consumers", roles=["service"]).json["items"]
    consumer = Consumer(world, pending["consumer_id"])
    assert consumer.call("GET", "/events").json["error_code"] == "CONSUMER_NOT_READY"
    assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 0}
    with at_later(901):
        assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 1}
    assert consumer.call("GET").status == 404
    assert consumers.register(world, key="k").json["status"] == "ACTIVE"  # it was never answered


def test_a_registration_goes_on_where_it_had_ended(world: World) -> None:
    with patch("tillflow.contexts.eventflow.queuemaking.create", side_effect=Unavailable):
        assert consumers.register(world, key="k").status == 503
    assert subscribers.now() == ()
    assert consumers.register(world, key="k", name="Other").json["error_code"] == "IDEMPOTENCY_KEY_REUSED"
    answer = consumers.register(world, key="k")
    assert (answer.status, answer.json["status"]) == (201, "ACTIVE")
    assert [each.consumer_id for each in subscribers.now()] == [answer.json["consumer_id"]]


def test_one_consumer_too_many_is_refused_before_it_has_a_queue(world: World) -> None:
    with patch.object(registry, "MOST", 1):
        first = consumers.register(world, key="k").json
        refused = consumers.register(world)
        assert (refused.status, refused.json["error_code"]) == (409, "TOO_MANY_CONSUMERS")
        assert consumers.register(world, key="k").json == first
    assert len(aws.client("sqs").list_queues(QueueNamePrefix=queues.name_of(first["consumer_id"])[:-32])["QueueUrls"]) == 1


def test_an_old_key_that_has_a_consumer_registers_no_other(world: World) -> None:
    consumer = consumers.add(world, key="k")
    with at_later(86_401):
        assert consumers.register(world, key="k").json["error_code"] == "ALREADY_REGISTERED"
    assert consumer.call("GET").status == 200


def test_what_one_consumer_s_tending_fails_on_does_not_hold_up_the_others(world: World) -> None:
    for consumer in [consumers.add(world) for _ in range(2)]:
        registry.mark_broken(registry.find(consumer.consumer_id))
    item = next(each for each in world.items("EventFlowTable") if "broken_at" in each)
    world.put("EventFlowTable", to_item(item | {"name": "x"}))

    def fails(consumer_id: str, name: str) -> str:
        if name == "x":
            raise RuntimeError("not this one")
        return consumer_id

    with patch("tillflow.contexts.eventflow.queuemaking.create", fails):
        assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 1}
