"""The functions' logs, merged in the order of time."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from local.aws import Aws
from local.process import console
from local.stack import Stack

FOLLOW_PAUSE = 1.0
# A line may reach the log a little after a later one of another function: look back that far.
LATE_MILLISECONDS = 5_000
PREFIX = "/aws/lambda/"


class Line(NamedTuple):
    """What a function logged; *moment* is in milliseconds since 1970."""

    moment: int
    group: str
    stream: str
    message: str


def show(stack: Stack, *, follow: bool) -> None:
    """Print what the functions of *stack* logged so far; with *follow*, also what they log from now on."""
    seen: set[Line] = set()
    since = 0
    while True:
        for line in sorted(_lines(stack.aws, stack.stack_name, since), key=lambda line: line.moment):
            since = max(since, line.moment - LATE_MILLISECONDS)
            if line not in seen:
                seen.add(line)
                _print(stack.stack_name, line)
        if not follow:
            return
        seen = {line for line in seen if line.moment >= since}
        time.sleep(FOLLOW_PAUSE)


def _lines(aws: Aws, stack_name: str, since: int) -> Iterator[Line]:
    """Yield what was logged from *since* on, function by function."""
    groups = aws.logs.get_paginator("describe_log_groups")
    events = aws.logs.get_paginator("filter_log_events")
    for page in groups.paginate(logGroupNamePrefix=f"{PREFIX}{stack_name}-"):
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for found in events.paginate(logGroupName=name, startTime=since):
                for event in found["events"]:
                    yield Line(event["timestamp"], name, event["logStreamName"], event["message"].rstrip())


def _print(stack_name: str, line: Line) -> None:
    at = datetime.fromtimestamp(line.moment / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    function = line.group.removeprefix(f"{PREFIX}{stack_name}-").rpartition("-")[0]
    console.print(f"[dim]{at}[/] [cyan]{function}[/] ", end="")
    console.print(line.message, markup=False)
