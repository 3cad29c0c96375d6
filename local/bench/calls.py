"""What the functions logged of their AWS calls while they were metered (`tillflow.meter`)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.logs import groups, lines
from local.stack import Stack

READ_UNIT_BYTES = 4096


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
        return self.operation in {"PutItem", "TransactWriteItems", "UpdateItem"}


@dataclass(frozen=True)
class Metered:
    """What happened in a while: AWS *calls*, and function *invocations* as `(function, request id)`."""

    calls: list[Call]
    invocations: list[str]


def metered(stack: Stack, since: int) -> Metered:
    """Return what the functions of *stack* did from *since* (milliseconds since 1970) on."""
    calls: list[Call] = []
    invocations: set[tuple[str, str]] = set()
    names = _functions(stack)
    tables = {physical: logical for logical, physical in stack.tables.items()}
    for line in _records(stack, since):
        function = names.get(line.get("function", ""), "")
        if not function:
            continue
        invocations.add((function, line["lambda_request_id"]))
        if line["message"] == "aws call":
            consumed = line["consumed"]
            touched = tuple(tables.get(each["TableName"], each["TableName"]) for each in consumed)
            calls.append(Call(function, line["service"], line["operation"], touched, _units(line)))
    return Metered(calls, sorted(function for function, _ in invocations))


def _units(line: dict[str, Any]) -> Decimal:
    """Return what a call consumed: as the emulator says of a write; of a read it does not know, so by the items' sizes."""
    if line["operation"] not in {"GetItem", "Query", "BatchGetItem"}:
        return sum((Decimal(str(each["CapacityUnits"])) for each in line["consumed"]), Decimal(0))
    sizes = line["bytes_read"] if line["operation"] == "BatchGetItem" else [sum(line["bytes_read"])]
    # Only an index is read without consistency here, which costs half.
    factor = Decimal("0.5") if any("GlobalSecondaryIndexes" in each for each in line["consumed"]) else Decimal(1)
    blocks: int = sum(max(1, -(-size // READ_UNIT_BYTES)) for size in sizes)
    return factor * blocks


def _records(stack: Stack, since: int) -> Iterator[dict[str, Any]]:
    for logical_id, name in groups(stack):
        if logical_id == "FunctionLogs":
            for line in lines(stack, logical_id, name, since):
                if line.message.startswith("{"):
                    yield json.loads(line.message)


def _functions(stack: Stack) -> dict[str, str]:
    pages = stack.aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.stack_name)
    return {
        resource["PhysicalResourceId"]: resource["LogicalResourceId"].removesuffix("Function")
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }
