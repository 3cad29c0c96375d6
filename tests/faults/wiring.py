"""What leads to what in the stack, from its templates: no second spelling of a trigger, a rule or a route."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests import template

_WRITES = {
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "events:PutEvents",
    "ses:SendEmail",
    "sqs:ChangeMessageVisibility",
    "sqs:CreateQueue",
    "sqs:DeleteMessage",
    "sqs:DeleteQueue",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "states:StartExecution",
}


def resource_of(value: Mapping[str, Any]) -> str:
    """Return the logical id that a `!Ref` or `!GetAtt` names; the harness uses it as the physical name too."""
    named = value["Ref"] if "Ref" in value else value["Fn::GetAtt"]
    return str(named).partition(".")[0] if isinstance(named, str) else str(named[0])


def matches(pattern: Any, value: Any) -> bool:
    """Tell whether an EventBridge *pattern* (as far as the template uses the language) takes *value*."""
    if isinstance(pattern, dict):
        return all(matches(want, value.get(name) if isinstance(value, dict) else None) for name, want in pattern.items())
    return any(_takes(want, value) for want in pattern)


def _takes(want: Any, value: Any) -> bool:
    if not isinstance(want, dict):
        return bool(value == want)
    ((test, operand),) = want.items()
    if test == "exists":
        return bool((value is not None) == operand)
    if test == "anything-but":
        return not _takes(operand, value)
    assert test == "prefix", f"the harness does not know the pattern {want}"
    return isinstance(value, str) and value.startswith(operand)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the bus hands on: events that fit *pattern*, to the queue or state machine *target*."""

    pattern: Mapping[str, Any]
    target: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine's *definition*, and the functions (by name) that its `${…}` stand for."""

    definition: Mapping[str, Any]
    substitutions: Mapping[str, str]

    def function(self, reference: str) -> str:
        """Return the function that `${NameArn}` stands for."""
        return self.substitutions[reference.removeprefix("${").removesuffix("}")]


class Wiring:
    """The triggers of the stack's functions, by name (`orders/create_order`)."""

    def __init__(self) -> None:
        self._names = {function.logical_id: function.name for function in template.functions().values()}

    @property
    def writers(self) -> set[str]:
        """Every function that may change something."""
        return {
            name
            for name, function in template.functions().items()
            if any(_WRITES & set(statement["Action"]) for statement in function.statements)
        }

    def _triggers(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for logical_id, properties in template.resources(template.FUNCTION).items():
            for trigger in properties.get("Events", {}).values():
                if trigger["Type"] == kind:
                    yield self._names[logical_id], trigger["Properties"]

    @cached_property
    def routes(self) -> dict[str, str]:
        """Each route's function, e.g. `POST /api/orders`."""
        return {route: function.name for function in template.functions().values() for route in function.routes}

    @cached_property
    def streams(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """For each table whose stream is read: its readers, each with its filters."""
        readers: defaultdict[str, dict[str, list[dict[str, Any]]]] = defaultdict(dict)
        for function, p in self._triggers("DynamoDB"):
            readers[resource_of(p["Stream"])][function] = [json.loads(each["Pattern"]) for each in p["FilterCriteria"]["Filters"]]
        return readers

    @cached_property
    def schedules(self) -> dict[str, bool]:
        """Every function that runs by the clock, and whether it does so every few minutes."""
        return {function: p["Schedule"].startswith("rate(") for function, p in self._triggers("Schedule")}

    @cached_property
    def consumers(self) -> dict[str, str]:
        """Each queue's function."""
        return {resource_of(p["Queue"]): function for function, p in self._triggers("SQS")}

    def most_receives(self, queue: str) -> int:
        """Return how often a message is tried before it goes to the dead-letter queue."""
        return int(template.resources("AWS::SQS::Queue")[queue]["RedrivePolicy"]["maxReceiveCount"])

    @cached_property
    def rules(self) -> list[Rule]:
        """Where the bus hands which events on to."""
        rules = [
            Rule(json.loads(properties["EventPattern"]), resource_of(target["Arn"]))
            for properties in template.resources("AWS::Events::Rule").values()
            for target in properties["Targets"]
        ]
        for name, properties in template.resources("AWS::Serverless::StateMachine").items():
            for trigger in properties.get("Events", {}).values():
                assert trigger["Properties"]["InputPath"] == "$.detail", "the harness hands a machine the envelope"
                rules.append(Rule(trigger["Properties"]["Pattern"], name))
        return rules

    @cached_property
    def machines(self) -> dict[str, Machine]:
        """Every state machine by logical id."""
        return {
            name: Machine(
                json.loads((template.ROOT / properties["DefinitionUri"]).read_text()),
                {key: self._names[resource_of(value)] for key, value in properties["DefinitionSubstitutions"].items()},
            )
            for name, properties in template.resources("AWS::Serverless::StateMachine").items()
        }
