"""What events cost in DynamoDB's units: to accept, to route, to list (docs/tables.md, docs/adr/0023)."""

import json
import random
from typing import Any

import pytest

from tests import producers
from tests.metering import metered
from tests.world import World
from tillflow.contexts.eventflow import door, pages, tables
from tillflow.contexts.eventflow.pages import Entry
from tillflow.values import clock, ids

# As no payload is: nothing can be made smaller.
NOISE = "".join(random.Random(0).choices("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+/", k=980))  # noqa: S311 - noise


def test_an_event_of_one_kilobyte_takes_two_write_units_and_one_that_counts_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer = producers.add(world)
    producer.send()  # a key's first use of the hour is noted
    later = clock.from_milliseconds(clock.milliseconds(clock.now()) + 5_000)
    monkeypatch.setattr(clock, "now", lambda: later)

    with metered() as meter:
        assert producer.send(payload={"noise": NOISE}, idempotency_key="k").status == 202

    assert meter.units == {"EventsTable": 2, "EventFlowTable": 1}
    # The authorizer reads the key, then the producer and the stamp; the function counts it and stores it.
    assert meter.calls == ["get_item", "batch_get_item", "update_item", "put_item"]
    assert meter.read == 2  # the stamp is not there yet


def test_a_refusal_costs_nothing_and_what_was_counted_by_others_one_try(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    producer = producers.add(world, rate=1)
    producer.send()  # that its key is used is noted once

    def calls() -> tuple[int, list[str]]:
        with metered() as meter:
            status = producer.send().status
        return status, [call for call in meter.calls if call == "update_item"]

    # A bucket of ten events that is not empty is counted on from what was seen of it last,
    assert [calls() for _ in range(8)] == [(202, ["update_item"])] * 8
    known = dict(door._buckets)  # noqa: SLF001 - what this process knows
    door.forget()
    # another process finds that, with one try in vain,
    assert calls() == (202, ["update_item"] * 2)
    # and what was full is full.
    assert calls() == (429, [])
    door._buckets.update(known)  # noqa: SLF001
    assert calls() == (429, ["update_item"])


def test_a_hundred_events_share_their_index_pages(world: World) -> None:
    bodies = [envelope(number) for number in range(100)]

    with metered() as meter:
        route(world, bodies)

    # Each takes a write unit, and one of the index of traces; all a hundred two in each of three indexes, and their days three.
    assert meter.units == {"EventsTable": 100 + 100 + 6 + 3}
    with metered() as meter:
        route(world, [envelope(100 + number) for number in range(100)])
    assert meter.units == {"EventsTable": 200 + 6}


@pytest.mark.usefixtures("world")
def test_a_page_of_events_costs_no_more_in_a_busy_month() -> None:
    moments = [clock.milliseconds(clock.now()) - number * 60_000 for number in range(3_000)]
    for moment in moments:
        at = clock.iso(clock.from_milliseconds(moment))
        pages.enter([Entry(at, ids.new(), "till.opened", "tillflow.test", 1)])

    with metered() as meter:
        found = list(pages.listed(tables.ALL, clock.EARLIEST, clock.LATEST, descending=True))
    assert len(found) == len(moments)
    assert meter.read <= 100
    with metered() as meter:
        shown = pages.listed(tables.ALL, clock.EARLIEST, clock.LATEST, descending=True)
        assert [next(shown) for _ in range(20)] == found[:20]
    assert meter.read <= 2


@pytest.mark.usefixtures("world")
def test_a_rare_type_costs_a_read_for_each_day_that_has_one() -> None:
    day = 24 * 60 * 60 * 1000
    for number in range(0, 80, 8):
        at = clock.iso(clock.from_milliseconds(clock.milliseconds(clock.now()) - number * day))
        pages.enter([Entry(at, ids.new(), "rare", "tillflow.test", 1)])

    with metered() as meter:
        assert len(list(pages.listed(tables.of_type("rare"), clock.EARLIEST, clock.LATEST))) == 10
    assert meter.read <= 11 * 0.5 + 0.5


def envelope(number: int) -> dict[str, Any]:
    return {
        "event_id": ids.derived("event", str(number)),
        "event_type": "OrderCreated",
        "occurred_at": clock.iso(clock.now()),
        "trace_id": ids.new(),
        "identity": {"user_id": "user-1", "roles": ["buyer"]},
        "data": {"order_id": ids.new(), "items": [{"sku_id": "LAPTOP-X-RED-256", "quantity": 2, "price": 19.9}]},
        "version": 1,
    }


def route(world: World, envelopes: list[dict[str, Any]]) -> None:
    bodies = [json.dumps({"source": "tillflow.orders", "detail": each}) for each in envelopes]
    messages = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
    at = clock.now()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: at)  # within one second
        assert world.invoke("eventflow/route_events", {"Records": messages}) == {"batchItemFailures": []}
