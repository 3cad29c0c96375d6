"""What the functions logged of their AWS calls while they were metered (`tillflow.runtime.meter`)."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.platform.stack import Stack, resources
from local.watch.logs import groups, lines

READ_UNIT_BYTES = 4096
# CloudWatch bills this for each event besides its text. (Lambda's own lines, START, END and REPORT, are left out on AWS.)
LOG_EVENT_BYTES = 26
# API Gateway's line for a request (template.yaml, AccessLogSetting), which no emulator writes.
ACCESS_LOG_BYTES = 300 + LOG_EVENT_BYTES
METRICS = "metrics"


@dataclass(frozen=True)
class Call:
    """One AWS call of a function: the DynamoDB *tables* it touched, what it consumed of them."""

    function: str
    service: str
    operation: str
    tables: tuple[str, ...]
    units: Decimal

    @property
    def writes(self) -> bool:
        """Whether it is a DynamoDB write."""
        return self.operation in {"BatchWriteItem", "PutItem", "TransactWriteItems", "UpdateItem"}


@dataclass(frozen=True)
class Metered:
    """What happened in a while: AWS *calls*, the function of each *invocation*, *log_bytes* by function and for `METRICS`."""

    calls: list[Call]
    invocations: list[str]
    log_bytes: Counter[str]


def metered(stack: Stack, since: int) -> Metered:
    """Return what the functions of *stack* did from *since* (milliseconds since 1970) on."""
    calls: list[Call] = []
    invocations: set[tuple[str, str]] = set()
    log_bytes: Counter[str] = Counter()
    names = _functions(stack)
    tables = {physical: logical for logical, physical in stack.tables.items()}
    for message in _messages(stack, since):
        line = json.loads(message)
        function = names.get(line.get("function", ""), "")
        if not function:
            log_bytes[METRICS] += (len(message.encode()) + LOG_EVENT_BYTES) * ("_aws" in line)
            continue
        invocations.add((function, line["lambda_request_id"]))
        if line["message"] == "aws call":
            consumed = line["consumed"]
            touched = tuple(tables.get(each["TableName"], each["TableName"]) for each in consumed)
            calls.append(Call(function, line["service"], line["operation"], touched, _units(line)))
        else:
            log_bytes[function] += len(message.encode()) + LOG_EVENT_BYTES
    return Metered(calls, sorted(function for function, _ in invocations), log_bytes)


def _units(line: dict[str, Any]) -> Decimal:
    """Return what a call consumed: as the emulator says of a write; of a read it does not know, so by the items' sizes."""
    if line["operation"] not in {"GetItem", "Query", "BatchGetItem"}:
        return sum((Decimal(str(each["CapacityUnits"])) for each in line["consumed"]), Decimal(0))
    sizes = line["bytes_read"] if line["operation"] == "BatchGetItem" else [sum(line["bytes_read"])]
    # Only an index is read without consistency here, which costs half.
    factor = Decimal("0.5") if any("GlobalSecondaryIndexes" in each for each in line["consumed"]) else Decimal(1)
    blocks: int = sum(max(1, -(-size // READ_UNIT_BYTES)) for size in sizes)
    return factor * blocks


def _messages(stack: Stack, since: int) -> Iterator[str]:
    for logical_id, name in groups(stack):
        if logical_id == "FunctionLogs":
            for line in lines(stack, logical_id, name, since):
                if line.message.startswith("{"):
                    yield line.message


def _functions(stack: Stack) -> dict[str, str]:
    return {
        resource.physical_id: resource.logical_id.removesuffix("Function")
        for resource in resources(stack.aws, stack.stack_name)
        if resource.kind == "AWS::Lambda::Function"
    }
