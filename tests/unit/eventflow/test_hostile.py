"""What a client can send is refused in the contract's words: no token, number or path makes a fault of ours of it."""

from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from tests import consumers, producers
from tests.world import World
from tillflow.contexts.eventflow import browse, registry
from tillflow.runtime import aws
from tillflow.values import clock, ids
from tillflow.web import paging

PLACES = [
    (),
    ("",),
    ("~",),
    ("a", "b"),
    ("\0",),
    ("~~~",),
    ("0001",),
    ("\U0010ffff",),
    ("0001-01-01", ids.new()),
    ("2026-W01", ids.new()),
]


@pytest.mark.parametrize("place", PLACES)
def test_a_token_that_somebody_made_up_is_no_fault_of_ours(world: World, place: tuple[str, ...]) -> None:
    of = consumers.add(world).consumer_id
    lists = {
        "/producers": ("PRODUCERS",),
        "/event-types": ("TYPES",),
        "/consumers": ("consumers",),
        "/consumers/{id}/dead-letters": ("dead letters", of),
        "/consumers/{id}/replays": ("replays", of),
        "/events": (None, None, clock.EARLIEST, clock.LATEST),
    }
    for route, words in lists.items():
        query = {"next_token": paging.token(place, words)}
        answer = world.call(f"GET /api/v1{route}", roles=["admin"], path={"id": of}, query=query)
        assert answer.status in (200, 400, 422), (route, answer)


@pytest.mark.parametrize("number", ["1E99999999999999999999", "1e-99999999999999999999", "0E9999999999999999999"])
def test_a_number_that_nobody_can_hold_is_refused(world: World, number: str) -> None:
    producer = producers.add(world)
    event = f'{{"event_type": "till.opened", "event_version": 1, "payload": {{"n": {number}}}}}'
    assert producer.post("POST /api/v1/events", event).status == 400
    assert producer.post("POST /api/v1/events/batch", f'{{"events": [{event}]}}').status == 400


def test_a_reference_with_thousands_of_digits_names_no_place(world: World) -> None:
    path = {"type": "till.opened", "version": "1"}
    body = {"allOf": [{}], "$ref": f"#/allOf/{'9' * 5_000}"}
    answer = world.call("PUT /api/v1/event-types/{type}/versions/{version}", roles=["admin"], path=path, body=body)
    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_SCHEMA")


def test_an_id_that_is_longer_than_a_key_is_not_asked_for(world: World) -> None:
    with patch.object(aws.client("dynamodb"), "batch_get_item", side_effect=AssertionError):
        answer = world.call("GET /api/v1/events/{id}", roles=["admin"], path={"id": "x" * 3_000})
    assert answer.status == 404


def test_a_consumer_that_nothing_can_be_sent_to_does_not_hold_up_the_others(world: World) -> None:
    producer = producers.add(world)
    first, *others = sorted((consumers.add(world) for _ in range(3)), key=lambda each: each.consumer_id)
    url, send = registry.find(first.consumer_id).queue_url, aws.client("sqs").send_message_batch

    def denied(**call: Any) -> Any:
        if call["QueueUrl"] == url:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "SendMessageBatch")
        return send(**call)

    event_id = producer.send().json["event_id"]
    with patch.object(aws.client("sqs"), "send_message_batch", denied):
        assert producer.deliver() == ["m-0"]  # it comes again

    assert [each.ids() for each in others] == [[event_id], [event_id]]


def test_a_batch_that_a_producer_may_never_send_is_not_told_to_wait(world: World) -> None:
    producer = producers.add(world, rate=5)
    events = [{"event_type": "till.opened", "event_version": 1, "payload": {}}] * 51
    answer = producer.send_all(events)
    assert (answer.status, answer.json["error_code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert producer.send_all(events[:50]).json["accepted"] == 50


def test_a_rare_filter_looks_at_so_many_events_and_goes_on_with_the_next_page(world: World) -> None:
    common, rare = producers.add(world), producers.add(world)
    first = rare.send().json["event_id"]
    for _ in range(5):
        common.send()
    common.deliver()
    query, found, pages = {"event_type": "till.opened", "producer_id": rare.producer_id}, [], 0
    with patch.object(browse, "_LOOKED_AT", 2):
        while True:
            page = world.call("GET /api/v1/events", roles=["operator"], query=query).json
            found += [each["event_id"] for each in page["items"]]
            pages += 1
            if page["next_token"] is None:
                break
            query["next_token"] = page["next_token"]
    assert (found, pages) == ([first], 4)
