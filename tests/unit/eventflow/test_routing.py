"""From the bus to the consumers' queues: every event is kept once, listed once, and sent to whoever wants it."""

import json
from typing import Any

import pytest

from tests import consumers
from tests.messages import batch, event_id, failed, message
from tests.world import Context, World
from tillflow.contexts.eventflow import eventlog, pages, tables
from tillflow.contexts.eventflow.pages import Entry
from tillflow.values import clock, ids

PRODUCER = "3b9d1c52-7c0f-4c1e-9a53-0c8f2d7b6a11"


def route(world: World, *bodies: object) -> list[str]:
    return failed(world.invoke("eventflow/route_events", batch(*bodies)))


def listed(world: World, of: str) -> list[str]:
    """Return the ids of the events that an index lists."""
    del world  # it is where the tables are
    return [entry.event_id for entry in pages.listed(of, clock.EARLIEST, clock.LATEST)]


def test_an_event_that_comes_twice_is_kept_and_listed_once(world: World) -> None:
    for _ in range(2):
        assert route(world, message(), message()) == []

    (kept,) = world.kept_events()
    assert (kept.event_id, kept.producer_id, kept.event_version) == (event_id(1), "tillflow.orders", 1)
    assert listed(world, tables.ALL) == listed(world, tables.of_type("OrderCreated")) == [event_id(1)]
    assert listed(world, tables.of_producer("tillflow.orders")) == [event_id(1)]
    assert listed(world, tables.of_producer("tillflow.stock")) == []


def test_an_event_that_was_kept_is_not_replaced(world: World) -> None:
    route(world, message())

    assert route(world, message(data={"forged": True})) == []

    assert [kept.payload for kept in world.kept_events()] == [{}]


@pytest.mark.parametrize("data", ['{"amount":19.10}', '{"far":1E+400}', '{"text":"\\ud800"}'])
def test_an_event_is_kept_digit_for_digit(world: World, data: str) -> None:
    body = json.dumps(message(data="DATA")).replace('"DATA"', data)

    assert route(world, body) == []

    (kept,) = (item for item in world.items("EventsTable") if item["sk"] == "EVENT")
    assert f'"data":{data}' in eventlog.opened(kept).detail


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_is_no_event(world: World, word: str) -> None:
    body = json.dumps(message(data={"number": "X"})).replace('"X"', word)

    assert route(world, body, message()) == ["m-0"]


def test_an_event_s_id_is_the_same_in_either_case(world: World) -> None:
    name = "ABCDEF00-0000-4000-8000-00000000000A"
    route(world, message(event_id=name), message(event_id=name.lower()))

    assert [kept.event_id for kept in world.kept_events()] == listed(world, tables.ALL) == [name.lower()]


def test_one_that_cannot_be_kept_does_not_hold_up_the_others(world: World) -> None:
    # Incompressible, and larger than the bus takes: nobody but a stranger can have sent it.
    large = {"noise": "".join(ids.new() for _ in range(8_000))}

    assert route(world, message(data=large), message(event_id=event_id(2))) == ["m-0"]
    assert listed(world, tables.ALL) == [event_id(2)]


def accepted(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a message of an event from outside."""
    told = {
        "event_type": "till.opened",
        "event_version": 3,
        "received_at": "2026-02-10T12:34:57.000Z",
        "event_id": event_id(number),
    }
    return message(f"eventflow.{PRODUCER}", **(told | changes))


def test_an_event_from_outside_is_listed_as_it_was_accepted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: clock.parse("2026-02-10T13:00:00Z"))
    assert route(world, accepted()) == []

    # It is stored already, by who accepted it.
    assert world.kept_events() == []
    found = list(pages.listed(tables.ALL, clock.EARLIEST, clock.LATEST))
    assert found == [Entry("2026-02-10T12:34:57.000Z", event_id(1), "till.opened", PRODUCER, 3)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"received_at": None},
        {"received_at": "yesterday"},
        {"received_at": 7},
        {"event_version": "3"},
        {"event_version": None},
        {"event_version": True},
    ],
    ids=str,
)
def test_a_stranger_s_event_that_says_it_came_in_by_the_door_is_refused(world: World, wrong: dict[str, Any]) -> None:
    assert route(world, accepted(1, **wrong), accepted(2)) == ["m-0"]
    assert route(world, message("eventflow.nobody", event_version=1, received_at="2026-02-10T12:34:57.000Z")) == ["m-0"]


def test_where_time_runs_out_what_is_left_comes_again(world: World) -> None:
    wanting = [consumers.add(world, "till.*") for _ in range(3)]
    body = accepted()

    answer = world.invoke("eventflow/route_events", batch(body), Context(milliseconds=10_000))

    # There is no time for a call that may get no answer: the event is not told to be delivered.
    assert failed(answer) == ["m-0"]
    assert [consumer.shown()["backlog"] for consumer in wanting] == [0, 0, 0]
    assert route(world, body) == []
    assert [consumer.shown()["backlog"] for consumer in wanting] == [1, 1, 1]
