"""The state machine: bounded, retried where that helps, compensated from everywhere, and three states when all goes well."""

import json
import re
from typing import Any

import pytest

from tests import template
from tillflow import errors
from tillflow.contexts.order_saga.resume import saga_input
from tillflow.contexts.payments import gateway

MACHINE: dict[str, Any] = json.loads((template.ROOT / "statemachines" / "order_saga.asl.json").read_text())
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
FORWARD = ("ReserveStock", "ChargePayment", "CompleteOrder")
UNDOING = ("FailOrder", "RefundPayment", "ReleaseStock")
# What Step Functions calls Lambda's refusal for want of concurrency, and how long an Express execution may last.
THROTTLED = "Lambda.TooManyRequestsException"
EXPRESS_SECONDS = 300
PROPERTIES = template.resources("AWS::Serverless::StateMachine")["OrderSaga"]


def test_the_happy_path_has_three_states() -> None:
    way, name = [], MACHINE["StartAt"]
    while name:
        way.append(name)
        name = STATES[name].get("Next", "")

    assert tuple(way) == FORWARD
    assert STATES[way[-1]]["End"] is True


def test_every_task_is_a_step_forward_or_an_undoing_one() -> None:
    assert set(TASKS) == {*FORWARD, *UNDOING}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_bounded_by_more_than_its_function(name: str) -> None:
    """Less, and the machine would start a second run of a step beside the first."""
    (timeout,) = [each.timeout for each in template.functions().values() if each.logical_id == f"{name}Function"]

    assert TASKS[name]["TimeoutSeconds"] > timeout


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_retried_with_jitter(name: str) -> None:
    for retry in TASKS[name]["Retry"]:
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxAttempts"] >= 3
        assert retry["BackoffRate"] > 1
        assert retry["MaxDelaySeconds"] <= 30


@pytest.mark.parametrize("name", TASKS)
def test_a_step_waits_for_concurrency_but_three_of_them_seldom_as_long_as_express_lasts(name: str) -> None:
    """The pauses are half as long as they may be, on average. What Express ends, the schedule starts again as well."""
    retry, *_ = TASKS[name]["Retry"]
    pauses = [retry["IntervalSeconds"] * retry["BackoffRate"] ** number for number in range(retry["MaxAttempts"])]

    assert retry["ErrorEquals"] == [THROTTLED]
    assert 120 <= sum(min(pause, retry["MaxDelaySeconds"]) for pause in pauses) <= EXPRESS_SECONDS * 2 / len(FORWARD)


@pytest.mark.parametrize("name", FORWARD)
def test_a_step_forward_is_retried_for_transient_errors_only_and_ends_in_compensation(name: str) -> None:
    (_, busy, failed), (_, catch) = TASKS[name]["Retry"], TASKS[name]["Catch"]

    # A crowd before one SKU passes: it is waited out longer than what may be broken.
    assert busy["ErrorEquals"] == ["Unavailable"]
    assert busy["MaxAttempts"] > failed["MaxAttempts"]
    assert {"States.Timeout", "Lambda.ServiceException"} <= set(failed["ErrorEquals"])
    assert not {"States.ALL", "States.TaskFailed"} & {*busy["ErrorEquals"], *failed["ErrorEquals"]}
    assert catch["ErrorEquals"] == ["States.ALL"]
    assert catch["Next"] == "FailOrder"


@pytest.mark.parametrize("name", FORWARD)
def test_want_of_concurrency_decides_nothing_about_an_order(name: str) -> None:
    catch, *_ = TASKS[name]["Catch"]

    assert catch["ErrorEquals"] == [THROTTLED]
    assert STATES[catch["Next"]]["Type"] == "Fail"


@pytest.mark.parametrize("name", UNDOING)
def test_a_step_that_undoes_is_retried_whatever_it_was(name: str) -> None:
    _, retry = TASKS[name]["Retry"]

    assert retry["ErrorEquals"] == ["States.ALL"]
    assert retry["MaxAttempts"] >= 5
    assert "Catch" not in TASKS[name]


def test_what_is_retried_is_what_the_code_calls_unavailable() -> None:
    """Step Functions knows a Python error by the name of its class."""
    retried = [name for retry in TASKS["ReserveStock"]["Retry"] for name in retry["ErrorEquals"]]
    ours = {name for name in retried if "." not in name}

    assert ours == {errors.Unavailable.__name__, gateway.GatewayUnavailable.__name__}
    refusals = [gateway.CardDeclined, gateway.ChargeCanceled, gateway.GatewayFault, errors.StepRefused]
    assert not ours & {refusal.__name__ for refusal in refusals}


def test_every_state_can_be_reached_and_every_way_goes_to_one() -> None:
    reached, waiting = set(), [MACHINE["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            state = STATES[name]
            branches = [*state.get("Catch", []), *state.get("Choices", [])]
            waiting += [each["Next"] for each in branches] + [state[key] for key in ("Next", "Default") if key in state]

    assert reached == set(STATES)


def test_the_substitutions_are_those_that_the_template_defines() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", json.dumps(MACHINE)))

    assert used == set(PROPERTIES["DefinitionSubstitutions"])


@pytest.mark.parametrize("name", TASKS)
def test_a_task_invokes_the_function_that_has_its_name(name: str) -> None:
    arn = TASKS[name]["Arguments"]["FunctionName"].removeprefix("${").removesuffix("}")

    assert PROPERTIES["DefinitionSubstitutions"][arn] == {"Fn::GetAtt": [f"{name}Function", "Arn"]}


def test_the_machine_may_invoke_its_functions_and_no_others() -> None:
    (resources,) = [each["Resource"] for each in template.state_machine_statements() if "lambda:InvokeFunction" in each["Action"]]

    assert [each["Fn::GetAtt"][0] for each in resources] == [f"{name}Function" for name in (*FORWARD, *UNDOING)]


@pytest.mark.parametrize("name", TASKS)
def test_a_step_gets_the_order_s_id_and_nothing_that_somebody_may_have_made_up(name: str) -> None:
    payload = TASKS[name]["Arguments"]["Payload"]
    sample = json.loads((template.ROOT / "events" / f"{_function_of(name)}.json").read_text())

    assert payload == {"order_id": "{% $states.context.Execution.Input.data.order_id %}"}
    assert set(sample) == set(payload)


def _function_of(name: str) -> str:
    return next(function.name for function in template.functions().values() if function.logical_id == f"{name}Function")


def test_a_resumed_saga_gets_what_an_event_gives_it() -> None:
    """Both start the same machine, which reads the same paths of its input."""
    read = set(re.findall(r"Execution\.Input\.([\w.]+)", json.dumps(MACHINE)))

    assert read == {"data.order_id"}
    assert saga_input("an order") == {"data": {"order_id": "an order"}}


def test_the_machine_is_started_by_the_events_that_move_orders() -> None:
    event = PROPERTIES["Events"]["OrderMoved"]["Properties"]

    assert event["Pattern"] == {
        "source": ["tillflow.orders"],
        "detail-type": ["OrderCreated", "orders.order_canceled.v1"],
        "detail": {"data": {"order_id": [{"exists": True}]}},
    }
    assert event["InputPath"] == "$.detail"
    assert event["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["SagaStartsDeadLetters", "Arn"]}}


def test_no_execution_data_is_logged() -> None:
    """It holds who bought what."""
    assert PROPERTIES["Logging"]["IncludeExecutionData"] is False
