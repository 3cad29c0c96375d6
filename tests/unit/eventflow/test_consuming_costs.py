"""What a consumer costs in DynamoDB's units and calls of SQS: to fetch, to acknowledge (docs/tables.md)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests import consumers, producers
from tests.consumers import Consumer
from tests.metering import metered
from tests.world import World
from tillflow.runtime import aws


@contextmanager
def asked() -> Iterator[Counter[str]]:
    """Count the calls of SQS meanwhile."""
    calls: Counter[str] = Counter()

    def note(model: Any, **_: object) -> None:
        calls[model.name] += 1

    events = aws.client("sqs").meta.events
    events.register("before-call.sqs", note)
    try:
        yield calls
    finally:
        events.unregister("before-call.sqs", note)


def waiting(world: World, number: int, **fields: Any) -> Consumer:
    """Return a consumer for whom so many events wait."""
    consumer, producer = consumers.add(world, **fields), producers.add(world)
    for _ in range(number):
        producer.send()
    producer.deliver()
    return consumer


@pytest.mark.parametrize("ack", ["auto", "manual"])
def test_a_fetch_that_finds_nothing_reads_two_units_and_writes_none(world: World, ack: str) -> None:
    consumer = waiting(world, 0, ack=ack)
    with metered() as meter, asked() as calls:
        assert consumer.ids() == []
    assert (meter.calls, meter.read, meter.total) == (["batch_get_item"], 1, 0)
    assert calls == {"ReceiveMessage": 1}


def test_ten_events_cost_a_call_to_fetch_one_to_acknowledge_and_where_fetches_do_so_one_write(world: World) -> None:
    consumer = waiting(world, 20)
    assert len(consumer.ids()) == 10
    with metered() as meter, asked() as calls:
        assert len(consumer.ids()) == 10
    # Consumer and poller, then the events; then what is to be acknowledged next time.
    assert meter.calls == ["batch_get_item", "batch_get_item", "batch_write_item"]
    assert meter.units["EventFlowTable"] <= 3
    assert meter.read <= 2 + 10
    assert calls == {"DeleteMessageBatch": 1, "ReceiveMessage": 1}


def test_acknowledging_a_hundred_events_takes_a_read_unit_and_ten_calls(world: World) -> None:
    consumer = waiting(world, 100, ack="manual")
    tokens = consumer.fetch(limit=100)["ack"]
    with metered() as meter, asked() as calls:
        told = consumer.tell("ack", tokens)
    assert {each["status"] for each in told} == {"acknowledged"}
    assert (meter.calls, meter.read, meter.total) == (["get_item"], 1, 0)
    assert calls == {"DeleteMessageBatch": 10}


def test_registering_takes_eight_write_units_and_deleting_five(world: World) -> None:
    with metered() as meter:
        consumer = consumers.add(world)
    assert (meter.calls, meter.total) == (["transact_write_items"] * 2, 2 * 2 + 2 * 2)
    with metered() as meter:
        assert consumer.call("DELETE").status == 204
    assert meter.calls == ["get_item", "transact_write_items", "batch_write_item"]
    assert meter.total == 2 * 2 + 1
