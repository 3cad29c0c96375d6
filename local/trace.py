"""What became of an order behind the API: the way of its saga and its events."""

import json
from dataclasses import dataclass
from datetime import datetime

from local import LocalError
from local.stack import Stack
from local.wait import until

SAGA = "OrderSaga"
EVENT_LOG = "EventLogTable"
BY_TRACE = "by_trace"
SECONDS = 60


@dataclass(frozen=True)
class Event:
    """An event that was on the bus."""

    type: str
    occurred_at: datetime


def saga_path(stack: Stack, order_id: str) -> list[str]:
    """
    Return the states that the order's saga visited, when it has ended.

    Raises:
        LocalError: the saga did not start or end in time.
    """
    execution = until(lambda: _ended_execution(stack, order_id), seconds=SECONDS, what=f"the saga of order {order_id}")
    pages = stack.aws.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [
        event["stateEnteredEventDetails"]["name"]
        for page in pages
        for event in page["events"]
        if "stateEnteredEventDetails" in event
    ]


def events(stack: Stack, trace_id: str, expected: frozenset[str]) -> list[Event]:
    """
    Return the events of *trace_id* in the order of time, when all the *expected* types are there.

    Raises:
        LocalError: some did not come in time; the message names them.
    """
    seen: list[Event] = []

    def complete() -> list[Event] | None:
        seen[:] = _logged(stack, trace_id)
        return seen if expected <= {event.type for event in seen} else None

    try:
        return until(complete, seconds=SECONDS, what="the order's events")
    except LocalError as error:
        missing = ", ".join(sorted(expected - {event.type for event in seen}))
        raise LocalError(f"{error}; missing: {missing}") from None


def _ended_execution(stack: Stack, order_id: str) -> str | None:
    steps = stack.aws.stepfunctions
    for page in steps.get_paginator("list_executions").paginate(stateMachineArn=stack.state_machines[SAGA]):
        for execution in page["executions"]:
            described = steps.describe_execution(executionArn=execution["executionArn"])
            if json.loads(described["input"])["data"]["order_id"] == order_id:
                return None if described["status"] == "RUNNING" else described["executionArn"]
    return None


def _logged(stack: Stack, trace_id: str) -> list[Event]:
    pages = stack.aws.dynamodb.get_paginator("query").paginate(
        TableName=stack.tables[EVENT_LOG],
        IndexName=BY_TRACE,
        KeyConditionExpression="trace_id = :trace_id",
        ExpressionAttributeValues={":trace_id": {"S": trace_id}},
    )
    return [
        Event(item["event_type"]["S"], datetime.fromisoformat(item["occurred_at"]["S"]))
        for page in pages
        for item in page["Items"]
    ]
