"""Whether the stack is ready: as its tables answer, and cheap to ask."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests import template
from tests.world import Answer, World
from tillflow.runtime import aws
from tillflow.values import clock

TABLES = {"orders": "OrdersTable", "stock": "StockTable", "payments": "PaymentsTable", "idempotency": "IdempotencyTable"}


@pytest.fixture
def asked(world: World) -> Iterator[list[dict[str, Any]]]:
    """The parameters of every call to DynamoDB."""
    del world
    calls: list[dict[str, Any]] = []
    hooks = aws.client("dynamodb").meta.events

    def note(params: dict[str, Any], **_: Any) -> None:
        calls.append(params)

    hooks.register("provide-client-params.dynamodb.*", note)
    yield calls
    hooks.unregister("provide-client-params.dynamodb.*", note)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the process' clock shows."""
    shown = [1000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: shown[0])
    return shown


def ready(world: World) -> Answer:
    return world.call("GET /readyz", roles=None)


def test_a_stack_whose_tables_answer_is_ready(world: World) -> None:
    answer = ready(world)

    assert answer.status == 200
    assert answer.json == {"service": "tillflow", "status": "ok", "checks": dict.fromkeys(TABLES, "ok")}
    assert answer.headers["Cache-Control"] == "no-store"  # it is old enough as it is


@pytest.mark.parametrize("missing", TABLES)
def test_a_stack_without_one_of_them_is_not_and_says_which(world: World, missing: str) -> None:
    aws.client("dynamodb").delete_table(TableName=TABLES[missing])

    answer = ready(world)

    assert (answer.status, answer.json["status"]) == (503, "unavailable")
    assert [name for name, state in answer.json["checks"].items() if state == "unavailable"] == [missing]


def test_the_tables_are_asked_once_in_five_seconds_however_often_anybody_asks(
    world: World, asked: list[dict[str, Any]], now: list[float]
) -> None:
    for _ in range(20):
        ready(world)
    now[0] += 4.99
    ready(world)
    assert len(asked) == len(TABLES)

    now[0] += 0.01
    ready(world)
    assert len(asked) == 2 * len(TABLES)


def test_an_outage_is_kept_for_as_long_and_no_longer(world: World, now: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    client = aws.client("dynamodb")
    read = client.get_item

    def lost(**_: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(client, "get_item", lost)
    assert ready(world).status == 503
    monkeypatch.setattr(client, "get_item", read)

    assert ready(world).status == 503
    now[0] += 5
    assert ready(world).status == 200


def test_an_outage_is_told_before_the_function_s_time_is_up(
    world: World, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, tried = now[0], []

    def slow(**_: object) -> None:
        now[0] += aws.LONGEST_CALL_SECONDS
        tried.append(1)
        raise ReadTimeoutError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(aws.client("dynamodb"), "get_item", slow)

    answer = ready(world)

    assert (answer.status, set(answer.json["checks"].values())) == (503, {"unavailable"})
    assert now[0] - begun < template.functions()["system/report_health"].timeout
    assert len(tried) < len(TABLES)


def test_liveness_asks_nobody(world: World, asked: list[dict[str, Any]]) -> None:
    assert [world.call(route, roles=None).status for route in ("GET /", "GET /healthz")] == [200, 200]
    assert asked == []


def test_the_function_may_read_the_keys_it_asks_for_and_no_others(world: World, asked: list[dict[str, Any]]) -> None:
    ready(world)

    (policy,) = template.resources(template.FUNCTION)["ReportHealthFunction"]["Policies"]
    allowed = policy["Statement"]["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"]
    assert sorted(each["Key"]["pk"]["S"] for each in asked) == sorted(allowed)
