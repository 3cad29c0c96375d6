"""What became of an order behind the API: the way of its saga and its events."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from local import LocalError
from local.platform.stack import Stack
from local.wait import until

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

SAGA = "OrderSaga"
EVENT_LOG = "EventLogTable"
SECONDS = 60


@dataclass(frozen=True)
class Event:
    """An event that was on the bus."""

    type: str
    occurred_at: datetime
    data: dict[str, Any]


def saga_path(stack: Stack, order_id: str, *, since: datetime, runs: int) -> list[str]:
    """
    Return the states that the order's saga visited, when its first *runs* executions have ended.

    An order that is canceled later has a second run. Executions from before *since* are not looked at.

    Raises:
        LocalError: the saga did not start or end in time.
    """

    def ended() -> list[str] | None:
        found = executions(stack, order_id, since)
        over = [execution["executionArn"] for execution in found if execution["status"] != "RUNNING"]
        return over if len(over) >= runs else None

    over = until(ended, seconds=SECONDS, what=f"the end of the saga's run {runs} for order {order_id}")
    return [state for execution in over for state in _states(stack, execution)]


def events(stack: Stack, trace_id: str, expected: frozenset[str]) -> list[Event]:
    """
    Return the events of *trace_id* in the order of time, when all the *expected* types are there.

    Raises:
        LocalError: some did not come in time; the message names them.
    """
    seen: list[Event] = []

    def complete() -> list[Event] | None:
        seen[:] = logged(stack, trace_id)
        return seen if expected <= {event.type for event in seen} else None

    try:
        return until(complete, seconds=SECONDS, what="the order's events")
    except LocalError as error:
        missing = ", ".join(sorted(expected - {event.type for event in seen}))
        raise LocalError(f"{error}; missing: {missing}") from None


def executions(stack: Stack, order_id: str, since: datetime) -> list["DescribeExecutionOutputTypeDef"]:
    """Return the executions for the order, oldest first."""
    steps = stack.aws.stepfunctions
    pages = steps.get_paginator("list_executions").paginate(stateMachineArn=stack.state_machines[SAGA])
    described = [
        steps.describe_execution(executionArn=execution["executionArn"])
        for page in pages
        for execution in page["executions"]
        if execution["startDate"] >= since
    ]
    of_order = [one for one in described if json.loads(one["input"])["data"]["order_id"] == order_id]
    return sorted(of_order, key=lambda one: one["startDate"])


def _states(stack: Stack, execution: str) -> list[str]:
    pages = stack.aws.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [
        event["stateEnteredEventDetails"]["name"]
        for page in pages
        for event in page["events"]
        if "stateEnteredEventDetails" in event
    ]


def logged(stack: Stack, trace_id: str) -> list[Event]:
    """Return the events of *trace_id* that the event log has by now, in the order of time."""
    pages = stack.aws.dynamodb.get_paginator("query").paginate(
        TableName=stack.tables[EVENT_LOG],
        KeyConditionExpression="pk = :trace",
        ExpressionAttributeValues={":trace": {"S": f"TRACE#{trace_id}"}},
    )
    envelopes = [json.loads(item["envelope"]["S"]) for page in pages for item in page["Items"]]
    return [Event(each["event_type"], datetime.fromisoformat(each["occurred_at"]), each["data"]) for each in envelopes]
