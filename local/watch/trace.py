"""What became of an order behind the API: the way of its saga and its events."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from local import LocalError
from local.platform.stack import Stack
from local.wait import until
from tillflow.contexts.eventflow import eventlog, tables
from tillflow.storage.attributes import from_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

SAGA = "OrderSaga"
EVENTS = "EventsTable"
SECONDS = 60

type Json = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """An event that was on the bus, in its *envelope*."""

    envelope: Json

    @property
    def type(self) -> str:
        """What has happened."""
        return str(self.envelope["event_type"])

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""
        return datetime.fromisoformat(self.envelope["occurred_at"])

    @property
    def data(self) -> Json:
        """What belongs to the type."""
        return dict(self.envelope["data"])


@dataclass
class Visit:
    """A run's stay in a *state*; *error* and *cause* are those that it was left with, if it failed."""

    state: str
    entered: datetime
    exited: datetime | None = None
    error: str | None = None
    cause: str = ""


@dataclass(frozen=True)
class Run:
    """One run of an order's saga: Step Functions' word for its *status*, and its *history* of events."""

    status: str
    started: datetime
    ended: datetime | None
    history: Sequence[Mapping[str, Any]]

    @property
    def visits(self) -> list[Visit]:
        """The states that it visited."""
        visits: list[Visit] = []
        for event in self.history:
            kind, details = event["type"], details_of(event)
            if kind.endswith("StateEntered"):
                visits.append(Visit(details["name"], event["timestamp"]))
            elif kind.endswith("StateExited"):
                visits[-1].exited = event["timestamp"]
            elif visits and kind.startswith(("Task", "Lambda")):
                # What is tried again and then succeeds has not failed.
                visits[-1].error, visits[-1].cause = details.get("error"), details.get("cause", "")
        return visits


def details_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an event of a history says besides its type."""
    return next((each for name, each in event.items() if name.endswith("EventDetails")), {})


def saga_path(stack: Stack, order_id: str, *, since: datetime, runs: int) -> list[str]:
    """
    Return the states that the order's saga visited, when its first *runs* executions have ended.

    An order that is canceled later has a second run. Executions from before *since* are not looked at.

    Raises:
        LocalError: the saga did not start or end in time.
    """

    def ended() -> list["DescribeExecutionOutputTypeDef"] | None:
        over = [execution for execution in _executions(stack, order_id, since) if execution["status"] != "RUNNING"]
        return over if len(over) >= runs else None

    over = until(ended, seconds=SECONDS, what=f"the end of the saga's run {runs} for order {order_id}")
    return [visit.state for execution in over for visit in _run(stack, execution).visits]


def saga_runs(stack: Stack, order_id: str, since: datetime) -> list[Run]:
    """Return the saga's runs for the order, oldest first. Executions from before *since* are not looked at."""
    return [_run(stack, execution) for execution in _executions(stack, order_id, since)]


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


def logged(stack: Stack, trace_id: str) -> list[Event]:
    """Return the events of *trace_id* that the event log has by now, in the order of time."""
    return [Event(envelope) for envelope in envelopes(stack.aws.dynamodb, stack.tables[EVENTS], trace_id)]


def envelopes(dynamodb: "DynamoDBClient", table: str, trace_id: str) -> list[Json]:
    """Return the envelopes of a trace's events of the product's own in the event log's *table*, in the order of time."""
    found: list[Json] = []
    for partition in tables.traces(trace_id):
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            IndexName=tables.TRACE_INDEX,
            KeyConditionExpression="trace = :trace",
            ExpressionAttributeValues={":trace": {"S": partition}},
        )
        keys = [{"pk": item["pk"], "sk": item["sk"]} for page in pages for item in page["Items"]]
        found += (envelope_of(dynamodb.get_item(TableName=table, Key=key)["Item"]) for key in keys)
    return sorted(found, key=lambda envelope: (envelope["occurred_at"], envelope["event_id"]))


def envelope_of(item: Mapping[str, Any]) -> Json:
    """Return the envelope that an *item* of the event log holds, as DynamoDB has it."""
    envelope: Json = json.loads(eventlog.opened(from_item(item)).detail)  # its own has numbers that json does not know
    return envelope


def _executions(stack: Stack, order_id: str, since: datetime) -> list["DescribeExecutionOutputTypeDef"]:
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


def _run(stack: Stack, execution: "DescribeExecutionOutputTypeDef") -> Run:
    pages = stack.aws.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"])
    history = [event for page in pages for event in page["events"]]
    return Run(execution["status"], execution["startDate"], execution.get("stopDate"), history)
