"""A producer's events are accepted once, whatever happens on the way."""

import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from fake_tillflow import FakeTillflow, refused
from halves import QUICK, URL, Half, Sent
from tillflow_client import (
    Accepted,
    Forbidden,
    NewEvent,
    NoAnswer,
    Producer,
    Rejected,
    Result,
    Retry,
    SomeRejected,
    TooManyRequests,
    Unauthorized,
    Unsent,
    sending,
)

LOST = httpx.ReadTimeout("no answer")
BUSY = refused(429, "TOO_MANY_REQUESTS", **{"Retry-After": "0"})


def some(number: int, event_type: str = "order.shipped") -> list[Sent]:
    return [(event_type, {"number": each}) for each in range(number)]


def numbers(server: FakeTillflow) -> list[int]:
    """Return what arrived, in its order."""
    return [each["payload"]["number"] for each in server.stored.values()]


def test_an_event_is_sent_as_the_contract_has_it(server: FakeTillflow, half: Half) -> None:
    producer = half.producer(server)
    at = datetime(2026, 11, 22, 11, 0, tzinfo=timezone(timedelta(hours=1)))

    accepted = half.done(producer.send("order.shipped", {"order": 7}, 2, occurred_at=at, key="order-7"))

    (call,) = server.calls
    assert (call.method, call.path) == ("POST", "/events")
    assert call.body == {
        "event_type": "order.shipped",
        "event_version": 2,
        "payload": {"order": 7},
        "occurred_at": "2026-11-22T10:00:00.000Z",
    }
    assert call.headers["x-api-key"] == "key"
    assert call.headers["idempotency-key"] == "order-7"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["user-agent"].startswith("tillflow-client/0.1.0 ")
    assert accepted.event_id == server.stored["order-7"]["event_id"]
    assert accepted.received_at == datetime(2026, 11, 22, 10, 0, 0, 123_000, tzinfo=timezone.utc)
    assert not accepted.replayed


@pytest.mark.parametrize("trouble", [LOST, httpx.ConnectError("refused"), refused(503, "UNAVAILABLE"), BUSY])
def test_what_is_sent_again_is_the_same_event(server: FakeTillflow, half: Half, trouble: httpx.Response | Exception) -> None:
    server.after("events", trouble)
    server.instead("events", trouble)

    accepted = half.done(half.producer(server).send("order.shipped", {"number": 1}))

    assert len(server.calls) == 3
    assert len({call.headers["idempotency-key"] for call in server.calls}) == 1
    assert [each["event_id"] for each in server.stored.values()] == [accepted.event_id]
    assert accepted.replayed


def test_two_events_have_keys_of_their_own(server: FakeTillflow, half: Half) -> None:
    for _ in range(2):
        half.done(half.producer(server).send("order.shipped", {}))

    assert len(server.stored) == 2


def test_a_refusal_has_the_server_s_own_words(server: FakeTillflow, half: Half) -> None:
    server.instead("events", refused(403, "RESERVED_EVENT_TYPE", "The type is the product's own."))

    with pytest.raises(Forbidden, match="The type is the product's own") as raised:
        half.done(half.producer(server).send("OrderCreated", {}))

    error = raised.value
    assert (error.status, error.error_code, error.request_id) == (403, "RESERVED_EVENT_TYPE", "r-1")
    assert error.message == "The type is the product's own."
    assert len(server.calls) == 1


def test_an_answer_that_is_not_the_server_s_is_an_error(server: FakeTillflow, half: Half) -> None:
    server.instead("events", httpx.Response(200, text="<html>Log in to the guests' network</html>"))

    with pytest.raises(Exception, match="is the URL right"):
        half.done(half.producer(server).send("order.shipped", {}))


def test_a_batch_that_somebody_else_answered_is_given_back(server: FakeTillflow, half: Half) -> None:
    server.instead("batch", httpx.Response(200, text="<html>Log in to the guests' network</html>"))

    with pytest.raises(Unsent, match="is the URL right") as raised:
        half.batch(half.producer(server), some(3))

    assert len(raised.value.events) == 3


def test_trouble_without_end_is_an_error_in_time(server: FakeTillflow, half: Half) -> None:
    producer = half.producer(server, Retry(total=0.01, first=0.001, longest=0.002))
    server.instead("events", *[LOST] * 1000)
    with pytest.raises(NoAnswer, match="ReadTimeout"):
        half.done(producer.send("order.shipped", {}))

    server = FakeTillflow()
    server.instead("events", *[BUSY] * 1000)
    with pytest.raises(TooManyRequests):
        half.done(half.producer(server, Retry(total=0.01)).send("order.shipped", {}))


def test_a_batch_is_cut_at_a_hundred_events_in_their_order(server: FakeTillflow, half: Half) -> None:
    results: list[Result] = []

    half.batch(half.producer(server), some(250), results.append)

    assert [len(call.body["events"]) for call in server.paths("/batch")] == [100, 100, 50]
    assert numbers(server) == list(range(250))
    assert [result.event.payload["number"] for result in results] == list(range(250))
    assert all(isinstance(result, Accepted) for result in results)


def test_a_batch_is_cut_before_it_is_larger_than_a_megabyte(server: FakeTillflow, half: Half) -> None:
    sizes: list[int] = []
    original = server.answer

    def measured(call: Any) -> httpx.Response:
        sizes.append(int(call.headers["content-length"]))
        return original(call)

    server.answer = measured  # type: ignore[method-assign]

    half.batch(half.producer(server), [("order.shipped", {"number": each, "text": "é" * 50_000}) for each in range(25)])

    assert numbers(server) == list(range(25))
    assert len(sizes) == 3
    assert max(sizes) <= sending.MOST_BYTES < max(sizes) + 101_000


def test_a_batch_exactly_as_large_as_allowed_goes_as_one(server: FakeTillflow, half: Half) -> None:
    overhead = len(sending._request([NewEvent("t", {"text": ""}, key="k" * 36)]).body or b"")  # noqa: SLF001
    fitting = ("t", {"text": "x" * (sending.MOST_BYTES - 2 * overhead - 1 + len(b'{"events":[]}'))})

    half.batch(half.producer(server), [fitting, ("t", {"text": ""})])

    (call,) = server.calls
    assert int(call.headers["content-length"]) == sending.MOST_BYTES


def test_what_failed_is_sent_again_alone_and_accepted_once(server: FakeTillflow, half: Half) -> None:
    server.verdicts["order.slow"].extend([("FAILED", "UNAVAILABLE")] * 3)

    half.batch(half.producer(server), [*some(2), *some(2, "order.slow")])

    assert [len(call.body["events"]) for call in server.calls] == [4, 2, 1]
    assert sorted(numbers(server)) == [0, 0, 1, 1]
    keys = [each["idempotency_key"] for call in server.calls for each in call.body["events"]]
    assert len(set(keys)) == 4


def test_what_is_rejected_is_told_at_the_end_and_all_else_accepted(server: FakeTillflow, half: Half) -> None:
    server.verdicts["order.bad"].extend([("REJECTED", "VALIDATION_FAILED")] * 2)

    with pytest.raises(
        SomeRejected, match=r"2 events were rejected, the first \(order.bad\): VALIDATION_FAILED: Because"
    ) as raised:
        half.batch(half.producer(server), [*some(1), *some(2, "order.bad"), *some(120)])

    assert [each.event.payload for each in raised.value.rejected] == [{"number": 0}, {"number": 1}]
    assert len(server.stored) == 121


def test_who_listens_is_told_of_each_and_nothing_is_raised(server: FakeTillflow, half: Half) -> None:
    server.verdicts["order.bad"].append(("REJECTED", "VALIDATION_FAILED"))
    results: list[Result] = []

    half.batch(half.producer(server), [*some(1), *some(1, "order.bad")], results.append)

    assert [type(result) for result in results] == [Accepted, Rejected]


def test_who_listens_may_send_and_may_fail(server: FakeTillflow, caplog: pytest.LogCaptureFixture) -> None:
    server.verdicts["order.bad"].append(("REJECTED", "VALIDATION_FAILED"))
    with Producer(URL, "key", retry=QUICK, transport=server.transport) as producer:

        def tell(result: Result) -> None:
            if isinstance(result, Accepted):
                return
            producer.send("order.rejected", result.event.payload)
            raise LookupError("ours")

        with producer.batch(on_result=tell) as batch:
            batch.send("order.bad", {"number": 1})
            batch.send("order.shipped", {"number": 2})

    assert sorted(numbers(server)) == [1, 2]
    assert batch.accepted == 1
    assert "on_result failed" in caplog.text


def test_a_batch_that_is_refused_whole_is_halved_until_it_is_known_for_whom(server: FakeTillflow, half: Half) -> None:
    original = server.answer
    poison = 37

    def strict(call: Any) -> httpx.Response:
        if any(each["payload"]["number"] == poison for each in call.body["events"]):
            return refused(400, "BAD_REQUEST", "No JSON.")
        return original(call)

    server.answer = strict  # type: ignore[method-assign]

    with pytest.raises(SomeRejected) as raised:
        half.batch(half.producer(server), some(100))

    assert [each.event.payload["number"] for each in raised.value.rejected] == [poison]
    assert numbers(server) == [each for each in range(100) if each != poison]


def test_a_batch_that_is_more_than_the_producer_may_send_at_once_is_halved_until_it_is_not(
    server: FakeTillflow, half: Half
) -> None:
    original = server.answer
    server.answer = lambda call: BUSY if len(call.body["events"]) > 30 else original(call)  # type: ignore[method-assign]

    half.batch(half.producer(server), some(100))

    assert numbers(server) == list(range(100))
    assert [len(call.body["events"]) for call in server.calls] == [100, 50, 25, 25, 50, 25, 25]


def test_an_event_larger_than_any_batch_is_rejected_alone(server: FakeTillflow, half: Half) -> None:
    server.instead("batch", refused(413, "PAYLOAD_TOO_LARGE"))

    with pytest.raises(SomeRejected, match="PAYLOAD_TOO_LARGE"):
        half.batch(half.producer(server), [("big", {"text": "x" * 1_500_000}), *some(2)])

    assert numbers(server) == [0, 1]


def test_what_is_not_taken_in_time_is_given_back_with_its_keys(server: FakeTillflow, half: Half) -> None:
    server.after("batch", *[LOST] * 1000)
    producer = half.producer(server, Retry(total=0.01, first=0.001))

    with pytest.raises(Unsent, match="3 events are not known to be accepted: ReadTimeout") as raised:
        half.batch(producer, some(3))

    # WHEN they are sent again by their keys, THEN they are the same events
    for event in raised.value.events:
        half.done(half.producer(server).send(event.event_type, event.payload, event.version, event.occurred_at, event.key))
    assert numbers(server) == [0, 1, 2]


def test_a_batch_whose_credential_is_refused_is_given_back_at_once(server: FakeTillflow, half: Half) -> None:
    server.instead("batch", refused(401, "UNAUTHORIZED"))

    with pytest.raises(Unsent) as raised:
        half.batch(half.producer(server), some(3))

    assert isinstance(raised.value.__cause__, Unauthorized)
    assert len(raised.value.events) == 3
    assert len(server.calls) == 1


def test_what_keeps_failing_is_given_back_and_nothing_else(server: FakeTillflow, half: Half) -> None:
    server.verdicts["order.slow"].extend([("FAILED", "UNAVAILABLE")] * 1000)

    with pytest.raises(Unsent, match="Because") as raised:
        half.batch(half.producer(server, Retry(total=0.01, first=0.001)), [*some(3), *some(1, "order.slow")])

    assert [event.event_type for event in raised.value.events] == ["order.slow"]
    assert numbers(server) == [0, 1, 2]


def test_what_was_given_to_a_batch_is_sent_also_when_its_body_fails(server: FakeTillflow, half: Half) -> None:
    def broken() -> Any:
        yield from some(2)
        raise LookupError("ours")

    with pytest.raises(LookupError, match="ours"):
        half.batch(half.producer(server), broken())

    assert numbers(server) == [0, 1]


def test_an_event_does_not_wait_for_others_for_ever(server: FakeTillflow) -> None:
    arrived = threading.Event()
    with (
        Producer(URL, "key", transport=server.transport) as producer,
        producer.batch(linger=0.01, on_result=lambda _: arrived.set()) as batch,
    ):
        batch.send("order.shipped", {"number": 1})

        assert arrived.wait(10), "it still waits"

        assert batch.accepted == 1
    assert len(server.calls) == 1


def test_what_could_not_be_sent_meanwhile_is_sent_by_the_next_call(server: FakeTillflow) -> None:
    failed = threading.Event()
    retry = Retry(total=0.001, first=0.001)
    server.instead("batch", refused(503, "UNAVAILABLE"), refused(503, "UNAVAILABLE"))
    with Producer(URL, "key", retry=retry, transport=server.transport) as producer, producer.batch(linger=0.01) as batch:
        original = server.answer
        server.answer = lambda call: failed.set() or original(call)  # type: ignore[method-assign,func-returns-value]
        batch.send("order.shipped", {"number": 1})

        assert failed.wait(10), "nobody tried again"

    assert numbers(server) == [1]
    assert batch.accepted == 1


def test_what_is_sent_while_others_could_not_be_is_sent_too(server: FakeTillflow) -> None:
    # GIVEN somebody who sends an event when told of another, while a third is not taken
    server.verdicts["order.slow"].extend([("FAILED", "UNAVAILABLE")] * 2)
    told = threading.Event()
    retry = Retry(total=0.001, first=0.001)
    with Producer(URL, "key", retry=retry, transport=server.transport) as producer:

        def tell(result: Result) -> None:
            if result.event.event_type == "order.shipped":
                batch.send("order.told", {"number": 3})
                told.set()

        with producer.batch(linger=0.05, on_result=tell) as batch:
            batch.send("order.slow", {"number": 1})
            batch.send("order.shipped", {"number": 2})

            assert told.wait(10), "nobody told"

    assert sorted(numbers(server)) == [1, 2, 3]


def test_a_payload_is_what_it_was_when_it_was_sent(server: FakeTillflow, half: Half) -> None:
    def changing() -> Any:
        payload = {"number": 1}
        yield "order.shipped", payload
        payload["number"] = 2

    half.batch(half.producer(server), changing())

    assert numbers(server) == [1]


@pytest.mark.parametrize("payload", [{"a": float("nan")}, {"a": object()}, {"a": "\ud800"}])
def test_what_is_no_json_is_refused_where_it_is_sent(server: FakeTillflow, half: Half, payload: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        half.done(half.producer(server).send("order.shipped", payload))

    assert server.calls == []


@pytest.mark.parametrize("key", ["two words", "ключ", "x" * 256])
def test_a_key_that_no_header_takes_is_refused(server: FakeTillflow, half: Half, key: str) -> None:
    with pytest.raises(ValueError, match="a key has 1 to 255"):
        half.done(half.producer(server).send("order.shipped", {}, key=key))


def test_a_moment_without_a_timezone_is_refused(server: FakeTillflow, half: Half) -> None:
    with pytest.raises(ValueError, match="occurred_at needs a timezone"):
        half.done(half.producer(server).send("order.shipped", {}, occurred_at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_url_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="https://"):
        Producer("api.example.com", "key", retry=QUICK)
