"""The import's state machine: bounded, retried where that helps, and round until nothing is left."""

import json
from typing import Any

from tests import template

MACHINE: dict[str, Any] = json.loads((template.ROOT / "statemachines" / "stock_import.asl.json").read_text())
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
PROPERTIES = template.resources("AWS::Serverless::StateMachine")["StockImport"]
(FUNCTION,) = [each for each in template.functions().values() if each.name == "stock/record_import"]


def test_a_run_follows_another_until_one_says_that_nothing_is_left() -> None:
    choice = STATES["IsFinished"]

    assert (MACHINE["StartAt"], STATES["Record"]["Next"], choice["Default"]) == ("Record", "IsFinished", "Record")
    assert choice["Choices"] == [{"Condition": "{% $states.input.finished %}", "Next": "Finished"}]
    assert STATES["Finished"]["Type"] == "Succeed"


def test_it_has_no_end_of_its_own() -> None:
    """An Express execution would end after five minutes."""
    assert PROPERTIES["Type"] == "STANDARD"
    assert "TimeoutSeconds" not in MACHINE


def test_a_run_is_bounded_by_more_than_its_function() -> None:
    """Less, and the machine would start a second run beside the first."""
    assert STATES["Record"]["TimeoutSeconds"] > FUNCTION.timeout


def test_a_run_is_retried_with_jitter() -> None:
    for retry in STATES["Record"]["Retry"]:
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxAttempts"] >= 3
        assert retry["MaxDelaySeconds"] <= 30
    named = {name for retry in STATES["Record"]["Retry"] for name in retry["ErrorEquals"]}
    assert {"Lambda.TooManyRequestsException", "Unavailable", "Lambda.Unknown", "States.Timeout"} <= named
