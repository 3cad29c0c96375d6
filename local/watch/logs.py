"""The stack's logs, merged in the order of time."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from local.platform.stack import Stack, resources
from local.process import console

FOLLOW_PAUSE = 1.0
# A line may reach the log a little after a later one of another function: look back that far.
LATE_MILLISECONDS = 5_000
LOG_GROUP = "AWS::Logs::LogGroup"
# What Lambda itself says of each invocation: the functions' own lines say it too.
PLATFORM = ("INIT_START ", "START ", "END ", "REPORT ")
# All but tab and line feed.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What every line has, or what is told of it by itself.
EVERYWHERE = {"function", "lambda_request_id", "level", "location", "message", "service", "timestamp"}


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
                _print(line, stack.stack_name)
        if not follow:
            return
        seen = {line for line in seen if line.moment >= since}
        time.sleep(FOLLOW_PAUSE)


def groups(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield the logical id and the name of each of the stack's log groups."""
    for resource in resources(stack.aws, stack.stack_name):
        if resource.kind == LOG_GROUP:
            yield resource.logical_id, resource.physical_id


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


def words(said: Mapping[str, Any], *, without: frozenset[str] = frozenset(), longest: int | None = None) -> str:
    """Return a structured line as people read it: its message, and what else it says; no value longer than *longest*."""
    known = EVERYWHERE | without
    rest = ", ".join(f"{name}: {short(value, longest)}" for name, value in said.items() if name not in known)
    loud = "" if said["level"] == "INFO" else f"{said['level']} "
    return f"{loud}{said['message']}{f' ({rest})' if rest else ''}"


def short(value: object, longest: int | None) -> str:
    """Return *value* as text, cut where it is longer than that."""
    text = value if isinstance(value, str) else json.dumps(value)
    text = visible(text)
    return text if longest is None or len(text) <= longest else f"{text[:longest]}…"


def visible(text: str) -> str:
    """Return *text* with its control characters as escapes: what a client wrote does not steer the terminal."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def function(name: str, stack_name: str) -> str:
    """Return a function's logical id, of which CloudFormation makes `<stack>-<logical id>-<random>`."""
    found = re.fullmatch(rf"{re.escape(stack_name)}-(\w+)Function-\w+", name)
    return found[1] if found else name


def _print(line: Line, stack_name: str) -> None:
    where, what = line.group, line.message
    if what.startswith(PLATFORM):
        return
    if what.startswith("{") and "function" in (said := json.loads(what)):
        where, what = function(said["function"], stack_name), words(said)
    at = datetime.fromtimestamp(line.moment / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    console.print(f"[dim]{at}[/] [cyan]{where}[/] ", end="")
    console.print(visible(what), markup=False)
