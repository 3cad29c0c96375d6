"""`make trace`: what is told of an order, from log lines and the saga's history."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local import LocalError
from local.platform.stack import Stack
from local.watch import logs, tell
from local.watch.trace import Run

TRACE = "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11"
ORDER = "45c6f025-7241-5c12-8fe5-0086db318f39"
AT = datetime(2026, 2, 10, 12, 34, 56, 789_000, UTC)


def line(**said: Any) -> str:
    return json.dumps(
        {
            "level": "INFO",
            "location": "handler:20",
            "message": "done",
            "timestamp": "2026-02-10 12:34:56,789+0000",
            "service": "tillflow",
            "function": "tillflow-local-ChargePaymentFunction-86AC4B83B3E24",
            "lambda_request_id": "e3e70682",
        }
        | said
    )


def told(*lines: str) -> list[tuple[str, str]]:
    return [(moment.where, moment.what) for moment in tell.of_lines(iter(lines), {TRACE, ORDER}, "tillflow-local")]


def test_a_line_of_the_trace_is_told_with_its_function_and_what_it_says_besides() -> None:
    (moment,) = tell.of_lines(iter([line(trace_id=TRACE, status=201)]), {TRACE}, "tillflow-local")

    assert moment == (AT, "ChargePayment", "done (status: 201)")


def test_a_line_about_several_traces_is_told_if_the_order_s_is_among_them() -> None:
    assert told(line(trace_ids=["another", TRACE]), line(trace_ids=["another"])) == [("ChargePayment", "done")]


def test_a_request_for_the_order_is_told_though_it_has_a_trace_of_its_own() -> None:
    assert told(line(trace_id="another", path={"orderId": ORDER})) == [("ChargePayment", "done")]


def test_lines_of_the_runtime_and_of_other_orders_are_not_told() -> None:
    assert told("START RequestId: 1", line(trace_id="another"), f"REPORT {TRACE}") == []


def test_an_error_is_told_as_one_and_kept_short() -> None:
    ((_, what),) = told(line(trace_id=TRACE, level="ERROR", message="unexpected error", exception="x" * 10_000))

    assert what.startswith("ERROR unexpected error (exception: xxx")
    assert len(what) < 400


def test_a_function_of_another_name_is_told_by_it() -> None:
    assert told(line(trace_id=TRACE, function="mine")) == [("mine", "done")]


def entered(state: str) -> dict[str, Any]:
    return {"type": "TaskStateEntered", "timestamp": AT, "stateEnteredEventDetails": {"name": state}}


def a_run(*history: dict[str, Any]) -> Run:
    return Run("SUCCEEDED", AT, AT, history)


def test_a_history_tells_the_states_the_failures_and_the_end() -> None:
    failed = {"error": "PaymentRefused", "cause": "declined"}
    history = [
        {"type": "ExecutionStarted", "timestamp": AT, "executionStartedEventDetails": {"input": "{}"}},
        entered("ChargePayment"),
        {"type": "TaskScheduled", "timestamp": AT, "taskScheduledEventDetails": {"parameters": "{}"}},
        {"type": "TaskFailed", "timestamp": AT, "taskFailedEventDetails": failed},
        {"type": "TaskStateExited", "timestamp": AT, "stateExitedEventDetails": {"name": "ChargePayment"}},
        {"type": "ExecutionFailed", "timestamp": AT, "executionFailedEventDetails": failed},
    ]

    assert [moment.what for moment in tell.of_runs([a_run(*history)])] == [
        "ExecutionStarted",
        "→ ChargePayment",
        "TaskFailed: PaymentRefused: declined",
        "ExecutionFailed: PaymentRefused: declined",
    ]


def test_several_runs_of_the_saga_are_told_apart() -> None:
    runs = [a_run(entered("ReserveStock")), a_run(entered("FailOrder"))]

    assert [moment.where for moment in tell.of_runs(runs)] == ["OrderSaga 1", "OrderSaga 2"]


def test_an_unknown_order_is_said_to_be_one() -> None:
    nothing = SimpleNamespace(dynamodb=SimpleNamespace(get_item=lambda **_: {}))
    stack = SimpleNamespace(aws=nothing, tables={"OrdersTable": "orders"}, endpoint_url="http://127.0.0.1:4566")

    with pytest.raises(LocalError, match=f"there is no order {ORDER} on http://127.0.0.1:4566"):
        tell.run(cast("Stack", stack), ORDER)


def test_what_a_client_wrote_does_not_steer_the_terminal() -> None:
    assert logs.short("a\x1b[2J\x9b\r\tb\nc", None) == "a\\x1b[2J\\x9b\\r\tb\nc"
