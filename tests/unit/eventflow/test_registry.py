"""Who wants which events: known as of now with one read, and read again only when somebody has changed."""

from dataclasses import replace

import pytest

from tests.metering import metered
from tillflow.contexts.eventflow import registry, subscribers
from tillflow.contexts.eventflow.registry import Consumer, Status
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved
from tillflow.storage.commit import Commit
from tillflow.values import ids

pytestmark = pytest.mark.usefixtures("world")


def consumer(*types: str, status: Status = Status.ACTIVE) -> Consumer:
    return Consumer(ids.new(), "Ledger", types or ("*",), "latest", "auto", 30, status, "2026-01-01T00:00:00.000Z")


def added(*types: str) -> Consumer:
    new = consumer(*types, status=Status.PENDING)
    commit = Commit(Cause("admin", (), ids.new()))
    registry.add(commit, new, AssertionError)
    commit.write()
    return changed(new, status=Status.ACTIVE)


def changed(before: Consumer, **values: object) -> Consumer:
    commit = Commit(Cause("admin", (), ids.new()))
    after = registry.save(commit, before, replace(before, **values))  # type: ignore[arg-type]
    commit.write()
    return after


@pytest.mark.parametrize(
    ("types", "wanted", "others"),
    [
        (("order.placed",), ["order.placed"], ["order.placed.v2", "order", "orders.placed"]),
        (("order.*",), ["order.placed", "order.", "order.a.b"], ["order", "orders.placed"]),
        (("a", "b*"), ["a", "b", "bc"], ["aa", "c"]),
        (("*",), ["a", "OrderCreated"], []),
    ],
)
def test_a_consumer_wants_types_and_what_begins_as_they_do(types: tuple[str, ...], wanted: list[str], others: list[str]) -> None:
    one = consumer(*types)
    assert [each for each in wanted + others if one.wants(each)] == wanted


def test_subscribers_are_those_with_a_queue_and_a_change_is_seen_at_once() -> None:
    assert subscribers.now() == ()
    one, other = added("a"), added("b")
    assert {each.consumer_id for each in subscribers.now()} == {one.consumer_id, other.consumer_id}
    one = changed(one, types=("c",), status=Status.PAUSED)
    assert {each.types for each in subscribers.now()} == {("b",), ("c",)}
    changed(one, status=Status.DELETING)
    assert [each.types for each in subscribers.now()] == [("b",)]


def test_there_are_as_many_consumers_as_a_router_can_serve_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MOST", 2)
    one, _ = added("a"), added("b")
    with pytest.raises(registry.TooManyConsumers):
        added("c")
    changed(changed(one, name="New"), status=Status.DELETING)

    added("c")
    with pytest.raises(registry.TooManyConsumers):
        added("d")
    assert {each.types for each in subscribers.now()} == {("b",), ("c",)}


def test_what_has_not_changed_costs_one_read_unit() -> None:
    added("a")
    subscribers.now()
    with metered() as meter:
        for _ in range(3):
            subscribers.now()
    assert (meter.calls, meter.read) == (["get_item"] * 3, 3)


def test_of_two_changes_at_once_the_second_finds_that_it_was_second() -> None:
    one = added("a")
    changed(one, name="New")
    with pytest.raises(Moved):
        changed(one, name="Newer")


def test_a_queue_that_is_missing_is_noted_and_a_change_meanwhile_keeps_the_note() -> None:
    one = added("a")
    registry.mark_broken(one)
    changed(one, name="New")
    assert registry.find(one.consumer_id).broken_at
    deleting = changed(registry.find(one.consumer_id), status=Status.DELETING)
    registry.mark_broken(deleting)
    with pytest.raises(registry.ConsumerNotFound):
        registry.find(one.consumer_id)
