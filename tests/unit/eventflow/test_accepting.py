"""Events from outside: taken in once, whole, by whoever may; and refused with words where they cannot be."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests import producers
from tests.producers import Producer
from tests.world import World
from tillflow.contexts.eventflow import rules
from tillflow.contexts.eventflow.eventlog import RETENTION_SECONDS
from tillflow.values import clock, ids


@pytest.fixture
def producer(world: World) -> Producer:
    return producers.add(world)


def test_an_event_is_stored_and_published_as_it_was_sent(producer: Producer) -> None:
    trace = ids.new()
    sent = producer.send(payload={"till": 7}, occurred_at="2026-02-10T13:00:00+01:00", headers={"X-Trace-Id": trace})

    assert (sent.status, sent.json["status"]) == (202, "ACCEPTED")
    (kept,) = producer.world.kept_events()
    assert (kept.event_id, kept.received_at) == (sent.json["event_id"], sent.json["received_at"])
    assert (kept.event_type, kept.event_version, kept.payload) == ("till.opened", 1, {"till": 7})
    assert (kept.producer_id, kept.occurred_at, kept.trace_id) == (producer.producer_id, "2026-02-10T12:00:00.000Z", trace)
    with producer.world.bus() as published:
        producer.world.invoke("outbox/publish_events", {"Records": producer.world.stream()})
    (entry,) = (each for each in published if each["DetailType"] == "till.opened")
    assert entry["Source"] == f"eventflow.{producer.producer_id}"
    assert json.loads(entry["Detail"]) == {
        "event_id": kept.event_id,
        "event_type": "till.opened",
        "occurred_at": "2026-02-10T12:00:00.000Z",
        "trace_id": trace,
        "identity": {"user_id": producer.producer_id, "roles": ["producer"]},
        "data": {"till": 7},
        "version": 1,
        "event_version": 1,
        "received_at": kept.received_at,
    }


@pytest.mark.parametrize("number", ["19.10", "1E+400", "0.1", "12345678901234567890.123456789"])
def test_a_number_is_passed_on_digit_for_digit(producer: Producer, number: str) -> None:
    body = '{"event_type": "till.opened", "event_version": 1, "payload": {"amount": NUMBER}}'.replace("NUMBER", number)

    assert producer.post("POST /api/v1/events", body).status == 202

    (kept,) = producer.world.kept_events()
    assert kept.payload == {"amount": Decimal(number)}
    shown = producer.world.call("GET /api/v1/events/{id}", roles=["admin"], path={"id": kept.event_id})
    assert f'"payload":{{"amount":{number}}}' in shown.text


def test_under_one_key_it_is_one_event(producer: Producer) -> None:
    first = producer.send(payload={"a": 1, "b": 2}, idempotency_key="k")
    again = producer.send(payload={"b": 2, "a": 1}, idempotency_key="k")

    assert (first.status, again.status) == (202, 202)
    assert (first.json, again.headers["x-idempotent-replay"]) == (again.json, "true")
    assert len(producer.world.kept_events()) == 1
    assert producers.add(producer.world).send(idempotency_key="k").json["event_id"] != first.json["event_id"]


@pytest.mark.parametrize(
    "other",
    [
        {"event_type": "till.closed"},
        {"event_version": 2},
        {"payload": {"a": 2}},
        {"payload": {"a": True}},
        {"payload": {"a": 1.0}},
        {"occurred_at": "2026-02-10T12:00:00Z"},
    ],
    ids=str,
)
def test_a_key_that_was_used_is_no_key_for_another_event(producer: Producer, other: dict[str, Any]) -> None:
    producer.send(payload={"a": 1}, idempotency_key="k")

    refused = producer.send(**({"payload": {"a": 1}, "idempotency_key": "k"} | other))

    assert (refused.status, refused.json["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_key_is_good_again_when_its_event_is_kept_no_longer(producer: Producer, monkeypatch: pytest.MonkeyPatch) -> None:
    producer.send(payload={"a": 1}, idempotency_key="k")
    later = clock.from_milliseconds(clock.milliseconds(clock.now()) + RETENTION_SECONDS * 1000)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert producer.send(payload={"a": 2}, idempotency_key="k").status == 202
    assert [kept.payload for kept in producer.world.kept_events()] == [{"a": 2}]


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"event_type": "a b"}, 400, "VALIDATION_FAILED"),
        ({"event_type": "a" * 129}, 400, "VALIDATION_FAILED"),
        ({"event_type": "till.opened\n"}, 400, "VALIDATION_FAILED"),
        ({"event_type": ""}, 400, "VALIDATION_FAILED"),
        ({"event_type": 7}, 400, "VALIDATION_FAILED"),
        ({"event_version": 0}, 400, "VALIDATION_FAILED"),
        ({"event_version": True}, 400, "VALIDATION_FAILED"),
        ({"event_version": "1"}, 400, "VALIDATION_FAILED"),
        ({"event_version": 1.5}, 400, "VALIDATION_FAILED"),
        ({"payload": []}, 400, "VALIDATION_FAILED"),
        ({"payload": None}, 400, "VALIDATION_FAILED"),
        ({"payload": deep(65)}, 400, "VALIDATION_FAILED"),
        ({"payload": {"a": [1, {"b": 1 << 63}]}}, 400, "VALIDATION_FAILED"),
        ({"payload": {"a": -(1 << 63) - 1}}, 400, "VALIDATION_FAILED"),
        ({"occurred_at": "yesterday"}, 400, "VALIDATION_FAILED"),
        ({"more": 1}, 400, "VALIDATION_FAILED"),
        ({"payload": {"a": "x" * rules.MAX_PAYLOAD_BYTES}}, 413, "PAYLOAD_TOO_LARGE"),
        ({"event_type": "OrderCreated"}, 403, "RESERVED_EVENT_TYPE"),
        ({"event_type": "ORDERS.order_placed.V7"}, 403, "RESERVED_EVENT_TYPE"),
        ({"event_type": "tillflow.anything"}, 403, "RESERVED_EVENT_TYPE"),
        ({"event_type": "Tillflow"}, 403, "RESERVED_EVENT_TYPE"),
        ({"event_type": "eventflow.x"}, 403, "RESERVED_EVENT_TYPE"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_taken_is_refused_with_words(producer: Producer, body: dict[str, Any], status: int, code: str) -> None:
    whole = {"event_type": "till.opened", "event_version": 1, "payload": {}} | body

    for answer in (producer.post("POST /api/v1/events", whole), *batch_of(producer, whole)):
        assert (answer.status, answer.json["error_code"]) == (status, code), answer
        assert answer.json["message"]
    assert producer.send_all([whole]).json["results"][0]["error_code"] == code
    assert producer.world.kept_events() == []


def batch_of(producer: Producer, event: dict[str, Any]) -> list[Any]:
    """Return the answer to a batch that is too large itself, if it is."""
    answer = producer.send_all([event])
    return [] if answer.status == 202 else [answer]


@pytest.mark.parametrize("body", ["", "[]", "{", '{"payload": NaN}', "[" * 100_000, '{"a":' * 100_000, "null", '"\ud800"'])
def test_what_is_no_json_object_is_refused(producer: Producer, body: str) -> None:
    for route in ("POST /api/v1/events", "POST /api/v1/events/batch"):
        assert producer.post(route, body).status == 400


def test_an_integer_may_have_64_bits_and_a_fraction_and_a_text_as_many_digits_as_they_like(producer: Producer) -> None:
    payload = '{"a": 9223372036854775807, "b": [-9223372036854775808], "c": 0.1234567890123456789, "d": "9223372036854775808"}'
    body = f'{{"event_type": "till.opened", "event_version": 1, "payload": {payload}}}'

    assert producer.post("POST /api/v1/events", body).status == 202


def test_the_largest_payload_is_stored_and_routed(producer: Producer) -> None:
    noise = "".join(ids.new() for _ in range(6_000))[: rules.MAX_PAYLOAD_BYTES - len('{"a":""}')]

    assert producer.send(payload={"a": noise}).status == 202
    assert producer.deliver() == []


# --- batches -------------------------------------------------------------------------------------------------------


def event(**changes: Any) -> dict[str, Any]:
    return {"event_type": "till.opened", "event_version": 1, "payload": {}} | changes


def test_each_event_of_a_batch_is_taken_or_refused_by_itself(producer: Producer) -> None:
    sent = [event(), event(event_type="OrderCreated"), "no object", event(idempotency_key="k"), event(idempotency_key="k")]
    answer = producer.send_all([*sent, event(idempotency_key="k", payload={"a": 1})])

    assert answer.status == 202
    results = answer.json["results"]
    assert [each["status"] for each in results] == ["ACCEPTED", "REJECTED", "REJECTED", "ACCEPTED", "ACCEPTED", "REJECTED"]
    assert [each.get("error_code") for each in results if each["status"] == "REJECTED"] == [
        "RESERVED_EVENT_TYPE",
        "VALIDATION_FAILED",
        "IDEMPOTENCY_KEY_REUSED",
    ]
    assert (results[3]["event_id"], results[4]["replayed"]) == (results[4]["event_id"], True)
    assert (answer.json["accepted"], answer.json["rejected"], answer.json["failed"]) == (3, 3, 0)
    assert len(producer.world.kept_events()) == 2
    # The header's key and the batch's are the same.
    assert producer.send(idempotency_key="k").json["event_id"] == results[3]["event_id"]


@pytest.mark.parametrize("events", [[], [event()] * 101, "text", None])
def test_a_batch_has_1_to_100_events(producer: Producer, events: object) -> None:
    assert producer.send_all(events).status == 400


def test_a_batch_has_1_mb_at_most(producer: Producer) -> None:
    answer = producer.send_all([event(payload={"a": "x" * 190_000})] * 6)

    assert (answer.status, answer.json["error_code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert producer.world.kept_events() == []


# --- how many ------------------------------------------------------------------------------------------------------


def test_more_than_a_producer_may_send_is_refused_until_it_may_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    producer = producers.add(world, rate=2)

    statuses = [producer.send().status for _ in range(21)]

    assert statuses == [202] * 20 + [429]
    refused = producer.send()
    assert (refused.json["error_code"], refused.headers["Retry-After"]) == ("TOO_MANY_EVENTS", "1")
    assert producer.send_all([event()] * 2).status == 429
    assert producers.add(world, rate=2).send().status == 202
    monkeypatch.setattr(clock, "now", lambda: clock.from_milliseconds(clock.milliseconds(now) + 1_000))
    assert [producer.send().status for _ in range(3)] == [202, 202, 429]


def test_a_batch_that_is_more_than_ten_seconds_worth_is_never_taken(world: World) -> None:
    answer = producers.add(world, rate=1).send_all([event()] * 11)
    assert (answer.status, answer.headers.get("Retry-After")) == (413, None)  # to wait would not help


def test_under_load_few_events_are_counted_by_a_write(producer: Producer, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    counted = 0
    for _ in range(100):
        before = [item for item in producer.world.items("EventFlowTable") if item["sk"] == "RATE"]
        assert producer.send().status == 202
        counted += before != [item for item in producer.world.items("EventFlowTable") if item["sk"] == "RATE"]

    assert counted <= 14


# --- queries -------------------------------------------------------------------------------------------------------


def listing(world: World, **query: str) -> Any:
    answer = world.call("GET /api/v1/events", roles=["operator"], query=query)
    assert answer.status == 200, answer
    return answer.json


def test_events_are_listed_received_last_first_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = producers.add(world), producers.add(world)
    start = clock.milliseconds(clock.now()) - 5 * 24 * 60 * 60 * 1000
    sent = []
    for number in range(12):
        # Some within one second, some in other days.
        monkeypatch.setattr(clock, "now", lambda at=start + number * 100 + number // 4 * 86_400_000: clock.from_milliseconds(at))
        producer = (one, other)[number % 2]
        sent.append((producer.send(f"type.{number % 3}").json["event_id"], number % 3, producer.producer_id))
    one.deliver()

    seen: list[str] = []
    page = listing(world, limit="5")
    while True:
        assert (page["total"], page["total_relation"]) == (12, "eq")
        seen += (each["event_id"] for each in page["items"])
        if page["next_token"] is None:
            break
        page = listing(world, limit="5", next_token=page["next_token"])
    assert seen == [event_id for event_id, _, _ in reversed(sent)]
    for kind in range(3):
        of_type = [event_id for event_id, its, _ in reversed(sent) if its == kind]
        assert [each["event_id"] for each in listing(world, event_type=f"type.{kind}")["items"]] == of_type
        both = [event_id for event_id, its, by in reversed(sent) if its == kind and by == one.producer_id]
        found = listing(world, event_type=f"type.{kind}", producer_id=one.producer_id)
        assert ([each["event_id"] for each in found["items"]], found["total"]) == (both, len(both))
    window = {"from": clock.iso(clock.from_milliseconds(start + 100)), "to": clock.iso(clock.from_milliseconds(start + 300))}
    assert [each["event_id"] for each in listing(world, **window)["items"]] == [event_id for event_id, _, _ in sent[3:0:-1]]
    assert listing(world, event_type="nothing")["total"] == 0


def test_a_batch_under_a_key_is_taken_in_once(producer: Producer) -> None:
    # GIVEN a batch of which one event has a key of its own
    events = [{"event_type": "till.opened", "event_version": 1, "payload": {"number": number}} for number in range(3)]
    events[1]["idempotency_key"] = "order 17"

    # WHEN it is sent twice under a key, and a third time under another
    first, again, other = (producer.send_all(events, **{"Idempotency-Key": key}).json["results"] for key in ("b-1", "b-1", "b-2"))

    # THEN each event is there once for each key: its own, or the batch's
    assert [each["event_id"] for each in again] == [each["event_id"] for each in first]
    assert all(each["replayed"] for each in again)
    assert [each["event_id"] == known["event_id"] for each, known in zip(other, first, strict=True)] == [False, True, False]
    assert len(producer.world.kept_events()) == 5


def test_a_token_of_another_list_is_refused(producer: Producer) -> None:
    for _ in range(2):
        producer.send()
    producer.deliver()
    token = listing(producer.world, limit="1", producer_id=producer.producer_id)["next_token"]

    answer = producer.world.call("GET /api/v1/events", roles=["admin"], query={"limit": "1", "next_token": token})

    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_NEXT_TOKEN")


def test_what_is_older_than_90_days_is_shown_no_more(producer: Producer, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id = producer.send().json["event_id"]
    producer.deliver()
    later = clock.from_milliseconds(clock.milliseconds(clock.now()) + RETENTION_SECONDS * 1000 + 1)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert listing(producer.world, producer_id=producer.producer_id)["total"] == 0
    for route in ("GET /api/v1/events/{id}", "DELETE /api/v1/events/{id}/payload"):
        assert producer.world.call(route, roles=["admin"], path={"id": event_id}).status == 404


def test_an_erased_payload_is_gone_and_the_event_is_not(producer: Producer) -> None:
    event_id = producer.send(payload={"name": "Ada Lovelace"}, idempotency_key="k").json["event_id"]
    producer.deliver()
    path = {"id": event_id}
    for _ in range(2):
        assert producer.world.call("DELETE /api/v1/events/{id}/payload", roles=["admin"], path=path).status == 204

    shown = producer.world.call("GET /api/v1/events/{id}", roles=["admin"], path=path).json
    assert (shown["payload"], shown["erased"], shown["event_type"]) == (None, True, "till.opened")
    (item,) = (each for each in producer.world.items("EventsTable") if each["sk"] == "EVENT")
    assert "outbox" not in item
    assert item["erased_by"] == "user-1"
    # Sent again, it is the same event, and does not bring back what was erased.
    assert producer.send(payload={"name": "Ada Lovelace"}, idempotency_key="k").json["event_id"] == event_id
    assert producer.world.kept_events()[0].payload is None
    # Under its key nothing else can be sent, as before: it would be taken for this, and lost.
    assert producer.send(payload={"name": "Bob"}, idempotency_key="k").status == 422


@pytest.mark.parametrize("event_id", ["nonsense", ids.derived("event", "nobody has it"), "\ud800", "a" * 3000])
def test_an_event_that_is_not_there_is_not_found(world: World, event_id: str) -> None:
    for route in ("GET /api/v1/events/{id}", "DELETE /api/v1/events/{id}/payload"):
        assert world.call(route, roles=["admin"], path={"id": event_id}).status == 404


# --- producers -----------------------------------------------------------------------------------------------------


def test_a_producer_is_made_changed_disabled_and_enabled(world: World) -> None:
    producer = producers.add(world, description="Tills", rate=5)
    path = {"id": producer.producer_id}

    def ask(method: str, way: str = "", body: object = None) -> Any:
        return world.call(f"{method} /api/v1/producers/{{id}}{way}", roles=["admin"], path=path, body=body).json

    assert ask("GET") | {"created_at": ""} == {
        "producer_id": producer.producer_id,
        "name": "Point of sale",
        "description": "Tills",
        "rate": 5,
        "status": "ACTIVE",
        "created_at": "",
        "created_by": "user-1",
    }
    changed = ask("PATCH", body={"name": "Tills", "description": None})
    assert (changed["name"], changed["description"], changed["rate"]) == ("Tills", None, 5)
    assert ask("PATCH", body={"description": ""})["description"] == ""
    assert ask("PATCH", body={"name": None})["error_code"] == "VALIDATION_FAILED"
    assert ask("POST", "/disable")["status"] == ask("POST", "/disable")["status"] == "DISABLED"
    assert producer.send().status == 401
    assert ask("POST", "/enable")["status"] == "ACTIVE"
    assert producer.send().status == 202


def test_producers_are_listed_newest_first_page_by_page(world: World) -> None:
    made = [producers.add(world, name=f"p{number}").producer_id for number in range(5)]

    seen, token = [], None
    for _ in range(3):
        query = {"limit": "2"} | ({"next_token": token} if token else {})
        page = world.call("GET /api/v1/producers", roles=["admin"], query=query).json
        seen += [each["producer_id"] for each in page["items"]]
        token = page["next_token"]
    assert (sorted(seen), token) == (sorted(made), None)


def test_keys_live_side_by_side_and_a_revoked_one_is_out_at_once(producer: Producer) -> None:
    path = {"id": producer.producer_id}
    route = "/api/v1/producers/{id}/keys"
    made = producer.world.call(f"POST {route}", roles=["admin"], path=path, body={"name": "second"}).json
    second = Producer(producer.world, producer.producer_id, made["id"], made["api_key"])

    assert (producer.send().status, second.send().status) == (202, 202)
    producer.revoked()
    assert (producer.send().status, second.send().status) == (401, 202)
    listed = producer.world.call(f"GET {route}", roles=["admin"], path=path)
    assert [each["name"] for each in listed.json["items"]] == ["second"]
    assert made["api_key"] not in listed.text
    other = {"id": producers.add(producer.world).producer_id, "keyId": made["id"]}
    assert producer.world.call(f"DELETE {route}/{{keyId}}", roles=["admin"], path=other).status == 404


@pytest.mark.parametrize("route", ["GET ", "PATCH ", "POST /disable", "POST /enable", "POST /keys", "GET /keys"])
def test_a_producer_that_is_not_there_is_not_found(world: World, route: str) -> None:
    method, _, way = route.partition(" ")
    answer = world.call(f"{method} /api/v1/producers/{{id}}{way}", roles=["admin"], path={"id": ids.new()}, body={})

    assert (answer.status, answer.json["error_code"]) == (404, "PRODUCER_NOT_FOUND")


def test_introspection_says_that_a_disabled_producer_s_key_is_not_active(producer: Producer) -> None:
    def introspected() -> Any:
        return producer.world.call("POST /api/auth/introspect", roles=["admin"], body={"token": producer.key}).json

    assert introspected()["active"]
    producer.disabled()
    assert introspected() == {"active": False}


def test_health_is_down_when_a_table_does_not_answer(world: World) -> None:
    assert world.call("GET /api/v1/health", roles=None).json == {"status": "UP"}


def test_every_type_of_the_product_s_own_is_reserved() -> None:
    from local.docs.schemas import EVENTS

    assert [event_type for event_type in EVENTS if not rules.is_ours(event_type)] == []
    assert not rules.is_ours("order.created")
