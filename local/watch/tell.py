"""An order's whole story in the order of time: its events, its saga's history, and what every function logged of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rich.markup import escape
from rich.table import Table

from local import LocalError
from local.platform.stack import Stack
from local.process import console
from local.watch import logs, trace
from tillflow.contexts.orders import tables
from tillflow.storage.attributes import Item, from_item, to_item
from tillflow.values import ids

FUNCTION_LOGS = "FunctionLogs"
ORDERS = "OrdersTable"

# A request reaches API Gateway a little before its order is created.
BEFORE_MILLISECONDS = 60_000
# What the table says by itself.
KNOWN = frozenset({"order_id", "path", "request_id", "trace_id", "trace_ids"})
LONGEST = 300


class Moment(NamedTuple):
    """Something that happened: when, in which part of the stack, and what."""

    at: datetime
    where: str
    what: str


def run(stack: Stack, order_id: str) -> None:
    """
    Print the story of an order.

    Raises:
        LocalError: there is no such order.
    """
    if not ids.is_uuid(order_id):
        raise LocalError(f"{order_id} is no order's id: that is a UUID, as POST /api/orders answers it")
    order = find(stack, order_id)
    console.print(f"order  {order_id}\nstatus {order['status']}\ntrace  {order['trace_id']}\n")
    table = Table(box=None, pad_edge=False)
    for heading, style in (("time", "dim"), ("where", "cyan"), ("what", "")):
        table.add_column(heading, style=style, header_style="dim", overflow="fold")
    for moment in story(stack, order_id, order):
        table.add_row(moment.at.strftime("%H:%M:%S.%f")[:-3], moment.where, escape(moment.what))
    console.print(table)


def find(stack: Stack, order_id: str) -> Item:
    """Return the order's item."""
    key = to_item(tables.order_key(order_id))
    answer = stack.aws.dynamodb.get_item(TableName=stack.tables[ORDERS], Key=key, ConsistentRead=True)
    if "Item" not in answer:
        raise LocalError(f"there is no order {order_id} on {stack.endpoint_url}")
    return from_item(answer["Item"])


def story(stack: Stack, order_id: str, order: Item) -> list[Moment]:
    """Return everything that is known to have happened for the order, in the order of time."""
    created = datetime.fromisoformat(order["created_at"])
    since = round(created.timestamp() * 1000) - BEFORE_MILLISECONDS
    group = dict(logs.groups(stack))[FUNCTION_LOGS]
    lines = (line.message for line in logs.lines(stack, FUNCTION_LOGS, group, since))
    runs = trace.executions(stack, order_id, created)
    histories = {run["name"]: _history(stack, run["executionArn"]) for run in runs}
    events = [Moment(event.occurred_at, "event", _event(event)) for event in trace.logged(stack, order["trace_id"])]
    return sorted(
        [*events, *of_histories(histories), *of_lines(lines, {order["trace_id"], order_id}, stack.stack_name)],
        key=lambda moment: moment.at,
    )


def of_lines(lines: Iterator[str], marks: set[str], stack_name: str) -> Iterator[Moment]:
    """Yield the log *lines* that carry one of *marks* (trace id or order id)."""
    for line in lines:
        if line.startswith("{") and any(mark in line for mark in marks):
            said: Mapping[str, Any] = json.loads(line)
            at = datetime.strptime(said["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")
            what = logs.words(said, without=KNOWN, longest=LONGEST)
            yield Moment(at, logs.function(said["function"], stack_name), what)


def of_histories(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Moment]:
    """Yield what each run of the saga (its history by its name) did: states entered, failures, its start and end."""
    for number, history in enumerate(histories.values(), 1):
        where = trace.SAGA if len(histories) == 1 else f"{trace.SAGA} {number}"
        for event in history:
            if what := _told(event):
                yield Moment(event["timestamp"], where, what)


def _history(stack: Stack, execution: str) -> list[Mapping[str, Any]]:
    pages = stack.aws.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [event for page in pages for event in page["events"]]


def _event(event: trace.Event) -> str:
    data = {name: value for name, value in event.data.items() if name not in KNOWN}
    return f"{event.type} ({', '.join(f'{name}: {logs.short(value, LONGEST)}' for name, value in data.items())})"


def _told(event: Mapping[str, Any]) -> str | None:
    """Return an event of a saga's history in words, or None where it adds nothing."""
    kind: str = event["type"]
    details: Mapping[str, Any] = next((each for name, each in event.items() if name.endswith("EventDetails")), {})
    if kind.endswith("StateEntered"):
        return f"→ {details['name']}"
    if "error" in details:
        return f"{kind}: {details['error']}: {logs.short(details.get('cause', ''), LONGEST)}"
    return kind if kind.startswith("Execution") else None
