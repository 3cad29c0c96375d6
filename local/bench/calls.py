"""What the functions logged of their AWS calls while they were metered (`tillflow.meter`)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.logs import groups, lines
from local.stack import Stack


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
            units = sum((Decimal(str(each["CapacityUnits"])) for each in consumed), Decimal(0))
            calls.append(Call(function, line["service"], line["operation"], touched, units))
    return Metered(calls, sorted(function for function, _ in invocations))


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
