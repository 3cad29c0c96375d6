"""A consumer's loop: what it acknowledges, what comes again, and that nothing is lost meanwhile."""

import logging
import threading
from contextlib import suppress
from datetime import datetime, timezone

import httpx
import pytest

from fake_tillflow import Call, FakeTillflow, refused
from halves import PACE, URL, Half
from tillflow_client import Consumer, Event, NotFound, Pace, consuming
from tillflow_client.calling import Stop
from tillflow_client.consuming import Work
from tillflow_client.pacing import backoff
from tillflow_client.wire import Answer, Effect, Flow, Request

LOST = httpx.ReadTimeout("no answer")
SECONDS = 10


def all_of(server: FakeTillflow, half: Half, number: int, pace: Pace = PACE) -> list[Event]:
    """Loop until *number* events have been handled; return them."""
    seen: list[Event] = []

    def handle(event: Event) -> bool | None:
        seen.append(event)
        return True if len(seen) == number else None

    half.loop(half.consumer(server, next(iter(server.consumers)), pace), handle)
    return seen


def test_an_event_has_what_the_contract_says(server: FakeTillflow, half: Half) -> None:
    server.consumer()
    (event_id,) = server.put(1)

    (event,) = all_of(server, half, 1)

    assert event == Event(
        event_id=event_id,
        event_type="order.shipped",
        event_version=1,
        producer_id="tillflow.orders",
        occurred_at=datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc),
        received_at=datetime(2026, 11, 22, 10, 0, 0, 123_000, tzinfo=timezone.utc),
        payload={"number": 0},
        delivery_count=1,
        replayed=False,
        erased=False,
    )
    fetch = server.paths("/events")[0]
    assert fetch.params == {"limit": "10", "wait": "0"}
    assert fetch.headers["x-service-token"] == "token"


def test_what_is_done_is_acknowledged_many_at_a_time(server: FakeTillflow, half: Half) -> None:
    server.consumer()
    ids = server.put(35)

    seen = all_of(server, half, 35)

    assert [event.event_id for event in seen] == ids
    assert server.acknowledged == ids
    assert server.queue == []
    assert [len(call.body["ack"]) for call in server.paths("/ack")] == [10, 10, 10, 5]


def test_an_event_that_fails_comes_again_later_and_others_do_not_wait_for_it(
    server: FakeTillflow, half: Half, caplog: pytest.LogCaptureFixture
) -> None:
    server.consumer()
    ids = server.put(3)
    consumer = half.consumer(server, next(iter(server.consumers)), Pace(wait=0, idle=0.001, backoff=lambda count: count + 0.5))

    def handle(event: Event) -> None:
        if event.event_id == ids[1]:
            raise LookupError("no such customer")
        if event.event_id == ids[2]:
            consumer.stop()

    half.run(consumer, handle)

    assert server.acknowledged == [ids[0], ids[2]]
    assert server.given_back == [(ids[1], 2)]
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.getMessage() == f"event {ids[1]} (order.shipped) failed and will come again"
    assert record.exc_info


def test_pauses_after_failures_double_up_to_an_hour_and_are_half_random() -> None:
    for delivery_count, longest in ((1, 5), (2, 10), (5, 80), (10, 2560), (11, 3600), (10_000, 3600)):
        assert all(longest / 2 <= backoff(delivery_count) <= longest for _ in range(100))


def test_a_loop_gives_back_an_event_by_itself(server: FakeTillflow, half: Half) -> None:
    server.consumer()
    ids = server.put(2)
    consumer = half.consumer(server, next(iter(server.consumers)))

    def body(event: Event) -> bool | None:
        if event.event_id == ids[0]:
            consumer.nack(event, 60)
            return None
        return True

    half.loop(consumer, body)

    assert server.acknowledged == [ids[1]]
    assert server.given_back == [(ids[0], 60)]


def test_only_the_event_at_hand_can_be_given_back(server: FakeTillflow, half: Half) -> None:
    server.consumer()
    server.put(2)
    consumer = half.consumer(server, next(iter(server.consumers)))
    seen: list[Event] = []

    def body(event: Event) -> bool | None:
        seen.append(event)
        if len(seen) == 2:
            with pytest.raises(ValueError, match="is not the one at hand"):
                consumer.nack(seen[0])
            return True
        return None

    half.loop(consumer, body)

    assert len(server.acknowledged) == 2


def test_a_broken_off_loop_gives_back_at_once_what_was_not_begun(server: FakeTillflow, half: Half) -> None:
    server.consumer()
    ids = server.put(5)

    all_of(server, half, 2)

    assert server.acknowledged == ids[:2]
    assert server.given_back == [(each, 0) for each in ids[2:]]


def test_an_error_in_the_loop_gives_back_the_event_at_hand_too(server: FakeTillflow, half: Half) -> None:
    server.consumer()
    ids = server.put(3)

    def body(event: Event) -> None:
        if event.event_id == ids[1]:
            raise LookupError("ours")

    with pytest.raises(LookupError, match="ours"):
        half.loop(half.consumer(server, next(iter(server.consumers)), Pace(wait=0, backoff=lambda _: 7)), body)

    assert server.acknowledged == [ids[0]]
    assert sorted(server.given_back) == sorted([(ids[2], 0), (ids[1], 7)])


def test_leases_are_extended_while_a_handler_runs(server: FakeTillflow, half: Half) -> None:
    server.consumer(lease_seconds=0.2)
    ids = server.put(2)

    def handle(event: Event) -> bool | None:
        if event.event_id == ids[1]:
            return True
        for _ in range(2):
            assert server.extended.wait(SECONDS), "nobody extended"
            server.extended.clear()
        return None

    half.loop(half.consumer(server, next(iter(server.consumers))), handle)

    assert server.acknowledged == ids
    first, second = server.paths("/extend")[:2]
    assert first.body == {"ack": [f"{each}/1" for each in ids], "seconds": 1}
    # What was extended is known by another token from then on.
    assert second.body == {"ack": [f"{each}/1+1" for each in ids], "seconds": 1}


def test_what_is_done_is_acknowledged_while_the_next_one_runs(server: FakeTillflow, half: Half) -> None:
    server.consumer(lease_seconds=0.2)
    ids = server.put(2)
    acknowledged = threading.Event()
    original = server.answer

    def watched(call: Call) -> httpx.Response:
        answer = original(call)
        if call.path.endswith("/ack"):
            acknowledged.set()
        return answer

    server.answer = watched  # type: ignore[method-assign]

    def handle(event: Event) -> bool | None:
        if event.event_id == ids[0]:
            return None
        assert acknowledged.wait(SECONDS), "nobody acknowledged"
        assert server.acknowledged == ids[:1]
        return True

    half.loop(half.consumer(server, next(iter(server.consumers))), handle)


def test_what_is_done_while_others_are_told_of_is_acknowledged_too(server: FakeTillflow, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN four events, of which the beat is telling that the first is done
    ids = server.put(4)
    work = Work(server.consumer(), 30, PACE, Stop())
    http = httpx.Client(base_url=URL, transport=server.transport)

    def perform(flow: Flow[object], waits: Effect | None = None) -> None:
        with suppress(StopIteration):
            effect = waits or next(flow)
            while True:
                assert isinstance(effect, Request)
                answer = http.request(effect.method, effect.path, content=effect.body, params=effect.params)
                effect = flow.send(Answer(answer.status_code, answer.headers, answer.content))

    perform(work.next())
    perform(work.next())
    beat = work.keep()
    waits = next(beat)

    # WHEN the loop tells of the second, and has done with the third, before that is answered
    with monkeypatch.context() as patch:
        patch.setattr(consuming, "ACK_SECONDS", 0)
        perform(work.next())
    perform(work.next())
    perform(beat, waits)

    # THEN the third is told of as well
    perform(work.release())
    assert sorted(server.acknowledged) == sorted(ids)


def test_what_was_lost_before_it_was_begun_is_not_begun(
    server: FakeTillflow, half: Half, caplog: pytest.LogCaptureFixture
) -> None:
    server.consumer(lease_seconds=0.2)
    ids = server.put(3)
    server.on_fetch = server.extended.clear
    seen: list[str] = []

    def handle(event: Event) -> bool | None:
        seen.append(event.event_id)
        if event.event_id == ids[0]:
            server.lose(ids[1])
            assert server.extended.wait(SECONDS), "nobody extended"
            server.extended.clear()
            assert server.extended.wait(SECONDS), "nobody extended again"
            return None
        return True

    half.loop(half.consumer(server, next(iter(server.consumers))), handle)

    assert seen == [ids[0], ids[2]]
    assert "the leases of 1 events were over before their extend: they may come again" in caplog.messages


@pytest.mark.parametrize("trouble", [LOST, refused(503, "UNAVAILABLE")])
def test_an_acknowledgement_that_failed_is_sent_again(
    server: FakeTillflow, half: Half, trouble: httpx.Response | Exception
) -> None:
    server.consumer()
    ids = server.put(2)
    server.instead(
        "ack", trouble, httpx.Response(200, json={"results": [{"event_id": each, "status": "failed"} for each in ids]})
    )

    all_of(server, half, 2)

    assert server.acknowledged == ids


def test_an_acknowledgement_that_cannot_be_given_does_not_stop_the_loop(
    server: FakeTillflow, half: Half, caplog: pytest.LogCaptureFixture
) -> None:
    server.consumer()
    server.put(12)
    server.instead("ack", refused(400, "BAD_REQUEST"))

    assert len(all_of(server, half, 12)) == 12

    assert len(server.acknowledged) == 2
    assert "ack of 10 events failed: 400 BAD_REQUEST: Because. (request r-1)" in caplog.messages


def test_what_could_not_be_acknowledged_in_time_is_later(
    server: FakeTillflow, half: Half, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tillflow_client.consuming.TELL_SECONDS", 0.0)
    server.consumer()
    ids = server.put(22)
    busy = httpx.Response(200, json={"results": [{"event_id": "e", "status": "failed"} for _ in range(20)]})
    server.instead("ack", refused(503, "UNAVAILABLE"), busy)

    all_of(server, half, 22)

    assert [len(call.body["ack"]) for call in server.paths("/ack")] == [10, 20, 22]
    assert server.acknowledged == ids


def test_what_could_not_be_given_back_in_time_is_later(server: FakeTillflow, half: Half, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tillflow_client.consuming.TELL_SECONDS", 0.0)
    ids = server.put(2)
    consumer = half.consumer(server, server.consumer(), Pace(limit=1, wait=0, idle=0.001))
    server.instead("nack", refused(503, "UNAVAILABLE"))

    def body(event: Event) -> bool | None:
        if event.event_id == ids[1]:
            return True
        consumer.nack(event, 7)
        return None

    half.loop(consumer, body)

    assert server.given_back == [(ids[0], 7)]


def test_a_delay_that_there_is_not_is_refused(server: FakeTillflow, half: Half) -> None:
    server.put(1)
    consumer = half.consumer(server, server.consumer())

    def body(event: Event) -> bool:
        for delay in (-1, 43_201):
            with pytest.raises(ValueError, match="after 0 to 43200 seconds"):
                consumer.nack(event, delay)
        return True

    half.loop(consumer, body)

    assert len(server.acknowledged) == 1


def test_an_acknowledgement_that_came_too_late_is_said_to_be(
    server: FakeTillflow, half: Half, caplog: pytest.LogCaptureFixture
) -> None:
    server.consumer()
    (event_id,) = server.put(1)

    def handle(_event: Event) -> bool:
        server.lose(event_id)
        return True

    half.loop(half.consumer(server, next(iter(server.consumers))), handle)

    assert server.acknowledged == []
    assert "the leases of 1 events were over before their ack: they may come again" in caplog.messages


@pytest.mark.parametrize(
    "trouble", [LOST, refused(503, "UNAVAILABLE"), refused(429, "TOO_MANY_REQUESTS", **{"Retry-After": "0"})]
)
def test_a_fetch_that_failed_is_made_again(server: FakeTillflow, half: Half, trouble: httpx.Response | Exception) -> None:
    server.consumer()
    ids = server.put(1)
    server.instead("events", *[trouble] * 5)

    all_of(server, half, 1)

    assert server.acknowledged == ids


def test_a_consumer_that_is_gone_ends_the_loop(server: FakeTillflow, half: Half) -> None:
    consumer = half.consumer(server, server.consumer())
    server.put(1)

    def handle(_event: Event) -> None:
        server.consumers.clear()

    with pytest.raises(NotFound, match="CONSUMER_NOT_FOUND"):
        half.run(consumer, handle)


def test_a_paused_consumer_is_asked_again(server: FakeTillflow, half: Half, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tillflow_client.consuming.PAUSED_SECONDS", 0.001)
    server.consumer()
    server.put(1)
    server.paused = True

    def resumed() -> None:
        server.paused = len(server.paths("/events")) < 3

    server.on_fetch = resumed

    assert len(all_of(server, half, 1)) == 1


def test_an_event_that_was_erased_has_no_payload(server: FakeTillflow, half: Half) -> None:
    server.consumer()
    server.put(1)
    server.queue[0].event |= {"payload": None, "erased": True}

    (event,) = all_of(server, half, 1)

    assert (event.payload, event.erased) == (None, True)


def test_a_consumer_that_acknowledges_by_fetching_is_refused(server: FakeTillflow, half: Half) -> None:
    consumer = half.consumer(server, server.consumer(ack="auto"))

    with pytest.raises(ValueError, match="PATCH it to ack: manual"):
        half.run(consumer, lambda _: None)


def test_a_consumer_without_an_id_is_refused(server: FakeTillflow, half: Half) -> None:
    with pytest.raises(ValueError, match="give its consumer_id, or call register"):
        half.run(half.consumer(server), lambda _: None)


def test_one_credential_is_needed() -> None:
    with pytest.raises(ValueError, match="either service_token or token"):
        Consumer("https://api.example.com")
    with pytest.raises(ValueError, match="either service_token or token"):
        Consumer("https://api.example.com", service_token="one", token="another")


def test_an_administrator_s_token_is_a_bearer_token(server: FakeTillflow) -> None:
    with Consumer("https://api.example.com", server.consumer(), token="jwt", transport=server.transport) as consumer:
        assert consumer.describe()["backlog"] == 0

    assert server.calls[0].headers["authorization"] == "Bearer jwt"
