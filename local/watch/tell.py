"""An order's whole story in the order of time: its events, its saga's history, and what every function logged of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rich.markup import escape
from rich.table import Table

from local import LocalError
from local.platform.stack import Stack
from local.process import console
from local.watch import logs, trace
from local.watch.trace import Event, Run
from tillflow.contexts.orders import tables
from tillflow.storage.attributes import Item, from_item, to_item
from tillflow.storage.tables import Key
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


@dataclass(frozen=True)
class Story:
    """What is known of an order: its *item*, the saga's *runs*, its *events*, and all that happened in the order of time."""

    order_id: str
    item: Item
    runs: Sequence[Run]
    events: Sequence[Event]
    moments: Sequence[Moment]


def run(stack: Stack, order_id: str) -> None:
    """
    Print the story of an order.

    Raises:
        LocalError: there is no such order.
    """
    story = of_order(stack, order_id)
    console.print(f"order  {order_id}\nstatus {story.item['status']}\ntrace  {story.item['trace_id']}\n")
    table = Table(box=None, pad_edge=False)
    for heading, style in (("time", "dim"), ("where", "cyan"), ("what", "")):
        table.add_column(heading, style=style, header_style="dim", overflow="fold")
    for moment in story.moments:
        table.add_row(clock(moment.at), moment.where, escape(moment.what))
    console.print(table)


def clock(moment: datetime) -> str:
    """Return the time of the day in UTC, to the millisecond."""
    return moment.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]


def of_order(stack: Stack, order_id: str) -> Story:
    """
    Return everything that is known by now to have happened for an order.

    Raises:
        LocalError: there is no such order.
    """
    if not ids.is_uuid(order_id):
        raise LocalError(f"{order_id} is no order's id: that is a UUID, as POST /api/orders answers it")
    order = stored(stack, ORDERS, tables.order_key(order_id))
    if order is None:
        raise LocalError(f"there is no order {order_id} on {stack.endpoint_url}")
    created = datetime.fromisoformat(order["created_at"])
    since = round(created.timestamp() * 1000) - BEFORE_MILLISECONDS
    group = dict(logs.groups(stack))[FUNCTION_LOGS]
    lines = (line.message for line in logs.lines(stack, FUNCTION_LOGS, group, since))
    runs = trace.saga_runs(stack, order_id, created)
    events = trace.logged(stack, order["trace_id"])
    told = (
        *(Moment(event.occurred_at, "event", _event(event)) for event in events),
        *of_runs(runs),
        *of_lines(lines, {order["trace_id"], order_id}, stack.stack_name),
    )
    return Story(order_id, order, runs, events, sorted(told, key=lambda moment: moment.at))


def stored(stack: Stack, table: str, key: Key) -> Item | None:
    """Return an item of a *table* (its logical id), or None."""
    answer = stack.aws.dynamodb.get_item(TableName=stack.tables[table], Key=to_item(key), ConsistentRead=True)
    return from_item(answer["Item"]) if "Item" in answer else None


def of_lines(lines: Iterator[str], marks: set[str], stack_name: str) -> Iterator[Moment]:
    """Yield the log *lines* that carry one of *marks* (trace id or order id)."""
    for line in lines:
        if line.startswith("{") and any(mark in line for mark in marks):
            said: Mapping[str, Any] = json.loads(line)
            at = datetime.strptime(said["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")
            what = logs.words(said, without=KNOWN, longest=LONGEST)
            yield Moment(at, logs.function(said["function"], stack_name), what)


def of_runs(runs: Sequence[Run]) -> Iterator[Moment]:
    """Yield what each run of the saga did: states entered, failures, its start and end."""
    for number, each in enumerate(runs, 1):
        where = trace.SAGA if len(runs) == 1 else f"{trace.SAGA} {number}"
        for event in each.history:
            if what := _told(event):
                yield Moment(event["timestamp"], where, what)


def _event(event: Event) -> str:
    data = {name: value for name, value in event.data.items() if name not in KNOWN}
    return f"{event.type} ({', '.join(f'{name}: {logs.short(value, LONGEST)}' for name, value in data.items())})"


def _told(event: Mapping[str, Any]) -> str | None:
    """Return an event of a saga's history in words, or None where it adds nothing."""
    kind: str = event["type"]
    details = trace.details_of(event)
    if kind.endswith("StateEntered"):
        return f"→ {details['name']}"
    if "error" in details:
        return f"{kind}: {details['error']}: {logs.short(details.get('cause', ''), LONGEST)}"
    return kind if kind.startswith("Execution") else None
