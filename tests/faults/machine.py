"""
Step Functions, as far as the stack's state machines use it: Task, Choice, Succeed and Fail, Retry and Catch, JSONata paths.

It runs the definition that is deployed. An error's name is its exception's class, as Lambda reports it.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.faults import passing
from tests.faults.wire import Gone
from tests.faults.wiring import Machine

_EXPRESSION = re.compile(r"\{% \$states\.([\w.]+) %\}")
_LAMBDA = "arn:aws:states:::lambda:invoke"


def evaluate(text: Any, states: Mapping[str, Any]) -> Any:
    """Return *text* with each JSONata path of `$states` in it followed."""
    if isinstance(text, dict):
        return {name: evaluate(value, states) for name, value in text.items()}
    if not isinstance(text, str) or "{%" not in text:
        return text
    path = _EXPRESSION.fullmatch(text)
    assert path, f"the harness knows paths of $states only, not {text}"
    value: Any = states
    for name in path[1].split("."):
        value = value[name]
    return value


class Execution:
    """One run of a *machine*; *path* is the states it entered, *succeeded* how it ended (None: it has not)."""

    def __init__(self, machine: Machine, given: Mapping[str, Any], invoke: Callable[[str, dict[str, Any]], Any]) -> None:
        self.path: list[str] = []
        self.succeeded: bool | None = None
        self._machine = machine
        self._states: dict[str, Any] = {"context": {"Execution": {"Input": given}}, "input": given}
        self._invoke = invoke
        self._next = machine.definition["StartAt"]

    def run(self) -> None:
        """Run to the end."""
        while self.succeeded is None:
            self.step()

    def step(self) -> None:
        """Run one state, with its retries."""
        state = self._machine.definition["States"][self._next]
        self.path.append(self._next)
        match state["Type"]:
            case "Succeed" | "Fail" as ending:
                self.succeeded = ending == "Succeed"
            case "Choice":
                chosen = (choice["Next"] for choice in state["Choices"] if evaluate(choice["Condition"], self._states) is True)
                self._next = next(chosen, state["Default"])
            case "Task":
                self._task(state)
            case other:
                pytest.fail(f"the harness does not know states of type {other}")

    def _task(self, state: Mapping[str, Any]) -> None:
        assert state["Resource"] == _LAMBDA
        arguments = evaluate(state["Arguments"], self._states)
        function = self._machine.function(arguments["FunctionName"])
        tried: Counter[int] = Counter()
        while True:
            try:
                answer = self._invoke(function, arguments["Payload"])
            except (Exception, Gone) as error:  # noqa: BLE001 - Step Functions' own boundary: every error has a name
                name = error.name if isinstance(error, Gone) else type(error).__name__
            else:
                self._states["input"] = evaluate(state["Output"], self._states | {"result": {"Payload": answer}})
                return self._go_on(state)
            retrier = _first(state.get("Retry", []), name)
            if retrier is None or tried[id(retrier)] >= retrier["MaxAttempts"]:
                return self._caught(state, name)
            pause = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** tried[id(retrier)]
            passing.wait(min(pause, retrier["MaxDelaySeconds"]))
            tried[id(retrier)] += 1

    def _go_on(self, state: Mapping[str, Any]) -> None:
        if state.get("End"):
            self.succeeded = True
        else:
            self._next = state["Next"]

    def _caught(self, state: Mapping[str, Any], name: str) -> None:
        catcher = _first(state.get("Catch", []), name)
        if catcher is None:
            self.succeeded = False
        else:
            self._next = catcher["Next"]


def _first(rules: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    """Return the first of a state's Retry or Catch *rules* that names the error."""
    return next((rule for rule in rules if {name, "States.ALL"} & set(rule["ErrorEquals"])), None)
