"""The Python client against the deployed stack: what is sent is received, also from who is told to stop, or is killed."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from tillflow_client import (
    Accepted,
    AsyncConsumer,
    AsyncProducer,
    Consumer,
    Event,
    Forbidden,
    NotFound,
    Pace,
    PayloadTooLarge,
    Producer,
    Rejected,
    Result,
    Unauthorized,
)

from local import ROOT
from local.platform.stack import Stack
from local.wait import until
from tests.integration.scene import TIMEOUT_SECONDS, Scene, line, unique

SECONDS = 60
# Nobody who waits for a lease this long to be over gets anything in time: what comes was given back.
LONG_LEASE, SHORT_LEASE = 3600, 2

# Says which event it has begun, and ends it when it is told to.
STEPPED = """
import sys
from tillflow_client import Consumer

def handle(event):
    print(event.event_id, flush=True)
    sys.stdin.readline()

with Consumer(sys.argv[1], sys.argv[2], service_token=sys.argv[3]) as consumer:
    consumer.run(handle)
"""
TAIL = """
import sys
from pathlib import Path
from local.platform import stack
from local.watch import tail

tail.run(stack.read(Path(sys.argv[1])), sys.argv[2])
"""


@pytest.fixture(scope="module")
def api_key(scene: Scene) -> str:
    """A producer's."""
    made = scene.admin.post("/api/v1/producers", {"name": unique("producer"), "rate": 1_000})
    assert made.status_code == 201, made.text
    scene.secrets.append(made.json()["api_key"])
    return str(made.json()["api_key"])


@pytest.fixture
def producer(stack: Stack, api_key: str) -> Iterator[Producer]:
    with Producer(stack.api_url, api_key, timeout=TIMEOUT_SECONDS) as producer:
        yield producer


@contextmanager
def consuming(
    stack: Stack, types: list[str], lease_seconds: int = 30, pace: Pace | None = None, start: str | datetime = "latest"
) -> Iterator[Consumer]:
    """A consumer that is registered, and deleted at the end."""
    with Consumer(
        stack.api_url, service_token=stack.service_token, pace=pace or Pace(wait=1), timeout=TIMEOUT_SECONDS
    ) as consumer:
        consumer.register(unique("consumer"), types, start=start, lease_seconds=lease_seconds)
        try:
            yield consumer
        finally:
            consumer.delete()


def send(producer: Producer, event_type: str, number: int) -> list[str]:
    """Send events; return their ids."""
    results: list[Result] = []
    with producer.batch(on_result=results.append) as batch:
        for each in range(number):
            batch.send(event_type, {"number": each})
    return [result.event_id for result in results if isinstance(result, Accepted)]


def received(consumer: Consumer, number: int, handle: Callable[[Event], object] = lambda _: None) -> list[Event]:
    """Handle events until so many different ones are done, and acknowledge them; return them, or those that came in time."""
    seen: list[Event] = []
    late = threading.Timer(SECONDS, consumer.stop)
    late.start()
    for event in consumer.events():
        handle(event)
        seen.append(event)
        if len({each.event_id for each in seen}) == number:
            consumer.stop()
    late.cancel()
    return seen


@contextmanager
def program(*arguments: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python program; it is gone at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_what_is_sent_is_received_once_as_it_was_sent(stack: Stack, producer: Producer) -> None:
    kind = unique("parcel")
    with consuming(stack, [f"{kind}.*"]) as consumer:
        first = producer.send(f"{kind}.shipped", {"text": "é\U0001f4e6", "price": 12.5}, key=unique("key"))
        again = producer.send(f"{kind}.shipped", {"text": "é\U0001f4e6", "price": 12.5}, key=first.event.key)
        ids = send(producer, f"{kind}.lost", 150)
        send(producer, unique("other"), 3)

        events = received(consumer, 151)

        assert (again.event_id, again.received_at, again.replayed) == (first.event_id, first.received_at, True)
        assert Counter(event.event_id for event in events) == Counter([first.event_id, *ids])
        (event,) = (event for event in events if event.event_id == first.event_id)
        assert event.payload == {"text": "é\U0001f4e6", "price": 12.5}
        assert (event.event_type, event.event_version, event.received_at) == (f"{kind}.shipped", 1, first.received_at)
        assert (event.delivery_count, event.replayed, event.erased) == (1, False, False)
        described = consumer.describe()
        assert (described["backlog"], described["in_flight"]) == (0, 0)


def test_all_of_it_may_be_awaited(stack: Stack, api_key: str) -> None:
    kind = unique("parcel")

    async def sent_and_received() -> list[int]:
        async with (
            AsyncProducer(stack.api_url, api_key, timeout=TIMEOUT_SECONDS) as producer,
            AsyncConsumer(stack.api_url, service_token=stack.service_token, timeout=TIMEOUT_SECONDS) as consumer,
        ):
            await consumer.register(unique("consumer"), [kind])
            async with producer.batch() as batch:
                for number in range(120):
                    await batch.send(kind, {"number": number})
            numbers: list[int] = []
            async for event in consumer.events():
                numbers.append(event.payload["number"])
                if len(numbers) == 120:
                    consumer.stop()
            await consumer.delete()
            return numbers

    assert sorted(asyncio.run(sent_and_received())) == list(range(120))


def test_a_name_is_one_consumer_and_what_it_wants_may_change(stack: Stack) -> None:
    with consuming(stack, ["parcel.*"]) as consumer:
        name = consumer.describe()["name"]
        with Consumer(stack.api_url, service_token=stack.service_token, timeout=TIMEOUT_SECONDS) as same:
            assert same.register(name, ["parcel.*", "letter.*"])["consumer_id"] == consumer.consumer_id
        assert consumer.describe()["subscribed_event_types"] == ["parcel.*", "letter.*"]

        # WHEN it is deleted, THEN its name may be registered again
        consumer.delete()
        with Consumer(stack.api_url, service_token=stack.service_token, timeout=TIMEOUT_SECONDS) as another:
            assert another.register(name, ["parcel.*"])["consumer_id"] != consumer.consumer_id
            another.delete()


def test_a_consumer_may_begin_in_the_past(stack: Stack) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    for start, known in ("earliest", "earliest"), (at, at.isoformat().replace("+00:00", ".000Z")):
        with consuming(stack, [unique("parcel")], start=start) as consumer:
            assert consumer.describe()["start"] == known


def test_a_refusal_has_the_server_s_own_words(stack: Stack, producer: Producer) -> None:
    with pytest.raises(Forbidden) as reserved:
        producer.send("OrderCreated", {})
    assert reserved.value.error_code == "RESERVED_EVENT_TYPE"
    assert reserved.value.request_id

    with pytest.raises(PayloadTooLarge):
        producer.send("parcel.shipped", {"text": "x" * 210_000})

    results: list[Result] = []
    with producer.batch(on_result=results.append) as batch:
        batch.send("OrderCreated", {})
        batch.send(unique("parcel"), {"text": "x" * 190_000})
    rejected, _ = sorted(results, key=lambda result: isinstance(result, Accepted))
    assert isinstance(rejected, Rejected)
    assert rejected.error_code == "RESERVED_EVENT_TYPE"
    assert batch.accepted == 1

    with Producer(stack.api_url, "tf_nobody", timeout=TIMEOUT_SECONDS) as nobody, pytest.raises((Unauthorized, Forbidden)):
        nobody.send("parcel.shipped", {})
    with (
        Consumer(stack.api_url, str(uuid4()), service_token=stack.service_token, timeout=TIMEOUT_SECONDS) as gone,
        pytest.raises(NotFound, match="CONSUMER_NOT_FOUND"),
    ):
        next(gone.events())


def test_an_event_that_fails_comes_again(stack: Stack, producer: Producer) -> None:
    kind, counts = unique("parcel"), list[int]()
    with consuming(stack, [kind], LONG_LEASE, Pace(wait=1, backoff=lambda _: 1)) as consumer:
        send(producer, kind, 1)

        def handle(event: Event) -> None:
            counts.append(event.delivery_count)
            if event.delivery_count == 1:
                raise LookupError("not yet")
            consumer.stop()

        consumer.run(handle)

        assert counts == [1, 2]


def test_a_lease_is_extended_for_as_long_as_a_handler_runs(stack: Stack, scene: Scene, producer: Producer) -> None:
    kind = unique("parcel")
    with consuming(stack, [kind], SHORT_LEASE) as consumer:
        ids = send(producer, kind, 3)

        def meanwhile(event: Event) -> None:
            # Somebody else asks for longer than two leases, and gets nothing.
            if event.event_id == ids[0]:
                path = f"/api/v1/consumers/{consumer.consumer_id}/events"
                assert scene.service.get(path, wait=2 * SHORT_LEASE + 1).json() == {"events": [], "ack": []}

        until(lambda: consumer.describe()["backlog"] == 3 or None, seconds=SECONDS, what="the events in the queue")
        events = received(consumer, 3, meanwhile)

        assert sorted(event.event_id for event in events) == sorted(ids)
        assert {event.delivery_count for event in events} == {1}


def test_a_process_that_is_told_to_stop_loses_nothing_and_keeps_nobody_waiting(stack: Stack, producer: Producer) -> None:
    kind = unique("parcel")
    with consuming(stack, [kind], LONG_LEASE) as consumer:
        ids = send(producer, kind, 25)
        with program(STEPPED, stack.api_url, consumer.consumer_id, stack.service_token) as process:
            assert process.stdin
            assert process.stdout
            done = []
            for _ in range(12):
                done.append(process.stdout.readline().strip())
                process.stdin.write("\n")
                process.stdin.flush()
            # WHEN it is told to stop in the midst of an event, of which others were fetched with it
            done.append(process.stdout.readline().strip())
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate("\n" * 100, timeout=SECONDS)

            # THEN it ends that one, and begins no other
            assert (process.returncode, output, errors) == (0, "", "")
        rest = received(consumer, len(ids) - len(done))
        assert Counter([*done, *(event.event_id for event in rest)]) == Counter(ids)


def test_of_a_process_that_is_killed_everything_comes_again_that_it_had_not_acknowledged(
    stack: Stack, producer: Producer
) -> None:
    kind = unique("parcel")
    with consuming(stack, [kind], SHORT_LEASE) as consumer:
        ids = send(producer, kind, 5)
        with program(STEPPED, stack.api_url, consumer.consumer_id, stack.service_token) as process:
            assert process.stdout
            assert process.stdout.readline().strip() in ids
            process.kill()
            process.wait()

        assert Counter(event.event_id for event in received(consumer, 5)) == Counter(ids)


def tails(scene: Scene) -> list[str]:
    """Return the names of the consumers that somebody watches with."""
    items = scene.service.get("/api/v1/consumers", limit=100).json()["items"]
    return [each["name"] for each in items if each["name"].startswith("tail-")]


@pytest.fixture
def state(stack: Stack, tmp_path: Path) -> Path:
    stack.write(tmp_path / "stack.json")
    return tmp_path


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_make_tail_shows_events_as_they_happen_and_leaves_nothing(
    scene: Scene, producer: Producer, state: Path, ending: signal.Signals
) -> None:
    kind = unique("parcel")
    with program(TAIL, str(state), f"{kind}.*,OrderCreated", PYTHONPATH="layers/shared") as process:
        assert process.stdout
        assert process.stderr
        assert process.stderr.readline() == f"{kind}.*, OrderCreated from now on (Ctrl-C ends)\n"
        assert len(tails(scene)) == 1

        accepted = producer.send(f"{kind}.shipped", {"number": 7})
        assert f" {kind}.shipped " in (shown := process.stdout.readline())
        assert shown.endswith(f' {accepted.event_id} {{"number": 7}}\n')

        order = scene.order(line(scene.plenty))
        assert " OrderCreated tillflow.orders " in (shown := process.stdout.readline())
        assert order.order_id in shown

        process.send_signal(ending)
        assert process.wait(SECONDS) == 0
        assert tails(scene) == []


def test_make_tail_ends_when_who_started_it_is_gone(scene: Scene, state: Path) -> None:
    starter = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TAIL!r}, *sys.argv[1:]])"
    with program(starter, str(state), "order.*") as process:
        assert process.stderr
        assert "from now on" in process.stderr.readline()
        process.kill()
        process.wait()

        until(lambda: not tails(scene) or None, seconds=SECONDS, what="the end of an orphan")
