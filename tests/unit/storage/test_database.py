"""Reads: consistent, whole, and in time."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.world import World
from tillflow.errors import Unavailable
from tillflow.runtime import aws, backoff
from tillflow.storage import database
from tillflow.values import clock

KEYS = ("unsettled", "due_at")
WITHIN = ("OrdersTable", "unsettled", KEYS, "0", ("2026", "2027"))


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are taken; none really is."""
    taken: list[float] = []
    monkeypatch.setattr(clock, "sleep", taken.append)
    return taken


@pytest.fixture
def sent(world: World) -> Iterator[list[dict[str, Any]]]:
    """The requests of every read; a query is answered by one item at a time."""
    del world
    requests: list[dict[str, Any]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        requests.append(params)
        if model.name == "Query":
            params["Limit"] = 1

    hooks = aws.client("dynamodb").meta.events
    for operation in ("GetItem", "Query", "BatchGetItem"):
        hooks.register(f"provide-client-params.dynamodb.{operation}", note)
    yield requests
    for operation in ("GetItem", "Query", "BatchGetItem"):
        hooks.unregister(f"provide-client-params.dynamodb.{operation}", note)


def put(world: World, *names: str) -> list[dict[str, str]]:
    for name in names:
        indexed = {"unsettled": {"S": "0"}, "due_at": {"S": f"2026-{name}"}}
        world.put("OrdersTable", {"pk": {"S": "P"}, "sk": {"S": name}, **indexed})
    return [{"pk": "P", "sk": name} for name in names]


def test_reads_by_key_are_consistent(world: World, sent: list[dict[str, Any]]) -> None:
    (key,) = put(world, "A")

    assert database.get("OrdersTable", key)
    assert database.partition("OrdersTable", "P")
    assert list(database.batch("OrdersTable", [key]))
    asked = [request.get("RequestItems", {}).get("OrdersTable", request) for request in sent]
    assert [each["ConsistentRead"] for each in asked] == [True] * len(asked)


def test_a_query_is_read_to_its_last_page(world: World, sent: list[dict[str, Any]]) -> None:
    put(world, "A", "B", "C")

    assert [item["sk"] for item in database.partition("OrdersTable", "P")] == ["A", "B", "C"]
    assert [item["sk"] for item in database.between(*WITHIN)] == ["A", "B", "C"]
    assert database.count(*WITHIN) == 3
    assert len(sent) >= 9


def test_bounds_are_both_included(world: World) -> None:
    put(world, "A", "B", "C", "D")
    bounds = ("2026-B", "2026-C")

    assert [item["sk"] for item in database.between("OrdersTable", "unsettled", KEYS, "0", bounds)] == ["B", "C"]


class Unprocessed:
    """Lets DynamoDB leave keys of a batch unprocessed, some *times*."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, parsed: dict[str, Any], **_: Any) -> None:
        if self.times:
            self.times -= 1
            (left,) = parsed["Responses"]["OrdersTable"][-1:]
            del parsed["Responses"]["OrdersTable"][-1:]
            key = {name: left[name] for name in ("pk", "sk")}
            parsed["UnprocessedKeys"] = {"OrdersTable": {"Keys": [key], "ConsistentRead": True}}


@pytest.fixture
def unprocessed(world: World) -> Iterator[Unprocessed]:
    del world
    leaving, hooks = Unprocessed(0), aws.client("dynamodb").meta.events
    hooks.register("after-call.dynamodb.BatchGetItem", leaving)
    yield leaving
    hooks.unregister("after-call.dynamodb.BatchGetItem", leaving)


def test_what_a_batch_left_out_is_asked_for_again_after_a_pause(
    world: World, unprocessed: Unprocessed, pauses: list[float]
) -> None:
    keys = put(world, "A", "B", "C")
    unprocessed.times = 2

    assert sorted(item["sk"] for item in database.batch("OrdersTable", keys)) == ["A", "B", "C"]
    assert len(pauses) == 2


def test_a_batch_that_is_never_whole_is_unavailable(world: World, unprocessed: Unprocessed) -> None:
    keys = put(world, "A", "B")
    unprocessed.times = backoff.MOST

    with pytest.raises(Unavailable):
        list(database.batch("OrdersTable", keys))


def test_a_long_list_of_keys_is_read_in_batches(world: World, sent: list[dict[str, Any]]) -> None:
    keys = put(world, "A") + [{"pk": "P", "sk": str(number)} for number in range(150)]

    assert [item["sk"] for item in database.batch("OrdersTable", keys)] == ["A"]
    assert [len(each["RequestItems"]["OrdersTable"]["Keys"]) for each in sent] == [100, 51]


@pytest.mark.parametrize("pk", ["x" * 2048, "é" * 1024, "🛒" * 512], ids=["ASCII", "two bytes", "four bytes"])
def test_the_longest_key_that_there_can_be_is_asked_for(world: World, sent: list[dict[str, Any]], pk: str) -> None:
    key = {"pk": pk, "sk": "S"}
    world.put("OrdersTable", {name: {"S": value} for name, value in key.items()})

    assert database.get("OrdersTable", key) == key
    assert database.partition("OrdersTable", pk) == [key]
    assert len(sent) == 2


@pytest.mark.parametrize("pk", ["x" * 2049, "é" * 1024 + "x", "\ud800"], ids=["too long", "too many bytes", "half a character"])
def test_a_key_that_there_cannot_be_is_not_asked_for(world: World, sent: list[dict[str, Any]], pk: str) -> None:
    del world
    assert database.get("OrdersTable", {"pk": pk, "sk": "S"}) is None
    assert database.partition("OrdersTable", pk) == []
    assert sent == []
