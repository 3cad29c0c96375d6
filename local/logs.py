"""The stack's logs, merged in the order of time."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from local.process import console
from local.stack import Stack

FOLLOW_PAUSE = 1.0
# A line may reach the log a little after a later one of another function: look back that far.
LATE_MILLISECONDS = 5_000
LOG_GROUP = "AWS::Logs::LogGroup"


class Line(NamedTuple):
    """What was logged; *moment* is in milliseconds since 1970, *group* the log group's logical id."""

    moment: int
    group: str
    stream: str
    message: str


def show(stack: Stack, *, follow: bool) -> None:
    """Print what *stack* logged so far; with *follow*, also what it logs from now on."""
    known = list(groups(stack))
    seen: set[Line] = set()
    since = 0
    while True:
        found = (line for group in known for line in lines(stack, *group, since))
        for line in sorted(found, key=lambda line: line.moment):
            since = max(since, line.moment - LATE_MILLISECONDS)
            if line not in seen:
                seen.add(line)
                _print(line)
        if not follow:
            return
        seen = {line for line in seen if line.moment >= since}
        time.sleep(FOLLOW_PAUSE)


def groups(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield the logical id and the name of each of the stack's log groups."""
    pages = stack.aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.stack_name)
    for page in pages:
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == LOG_GROUP:
                yield resource["LogicalResourceId"], resource["PhysicalResourceId"]


def lines(stack: Stack, logical_id: str, name: str, since: int) -> Iterator[Line]:
    """Yield what was logged in one group from *since* on."""
    seen: set[Line] = set()
    # The emulator ends its answer after 10,000 lines with no token for the next ones: go on from the last one's time.
    while new := set(_filtered(stack, logical_id, name, since)) - seen:
        yield from new
        since = max(line.moment for line in new)
        seen |= new


def _filtered(stack: Stack, logical_id: str, name: str, since: int) -> Iterator[Line]:
    for page in stack.aws.logs.get_paginator("filter_log_events").paginate(logGroupName=name, startTime=since):
        for event in page["events"]:
            yield Line(event["timestamp"], logical_id, event["logStreamName"], event["message"].rstrip())


def _print(line: Line) -> None:
    at = datetime.fromtimestamp(line.moment / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    console.print(f"[dim]{at}[/] [cyan]{line.group}[/] ", end="")
    console.print(line.message, markup=False)
