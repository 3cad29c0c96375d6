"""The state machine of imports and replays: bounded, retried where that helps, and round until nothing is left."""

import json
from typing import Any

import pytest

from tests import template

MACHINE: dict[str, Any] = json.loads((template.ROOT / "statemachines" / "run_by_run.asl.json").read_text())
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
RUNS = {"StockImport": "stock/record_import", "EventReplay": "eventflow/run_replay"}
MACHINES = template.resources("AWS::Serverless::StateMachine")


def test_a_run_follows_another_until_one_says_that_nothing_is_left() -> None:
    choice = STATES["IsFinished"]

    assert (MACHINE["StartAt"], STATES["Run"]["Next"], choice["Default"]) == ("Run", "IsFinished", "Run")
    assert choice["Choices"] == [{"Condition": "{% $states.input.finished %}", "Next": "Finished"}]
    assert STATES["Finished"]["Type"] == "Succeed"


@pytest.mark.parametrize("name", RUNS)
def test_it_has_no_end_of_its_own(name: str) -> None:
    """An Express execution would end after five minutes."""
    assert MACHINES[name]["DefinitionUri"] == "statemachines/run_by_run.asl.json"
    assert MACHINES[name]["Type"] == "STANDARD"
    assert "TimeoutSeconds" not in MACHINE


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_bounded_by_more_than_its_function(name: str) -> None:
    """Less, and the machine would start a second run beside the first."""
    function = template.functions()[RUNS[name]]
    assert MACHINES[name]["DefinitionSubstitutions"]["FunctionArn"] == {"Fn::GetAtt": [function.logical_id, "Arn"]}
    assert STATES["Run"]["TimeoutSeconds"] > function.timeout


def test_a_run_is_retried_with_jitter() -> None:
    for retry in STATES["Run"]["Retry"]:
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxAttempts"] >= 3
        assert retry["MaxDelaySeconds"] <= 30
    named = {name for retry in STATES["Run"]["Retry"] for name in retry["ErrorEquals"]}
    assert {"Lambda.TooManyRequestsException", "Unavailable", "Lambda.Unknown", "States.Timeout"} <= named
