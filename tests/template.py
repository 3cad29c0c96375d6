"""template.yaml as plain data, and the questions that tests ask of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped] # it knows CloudFormation's tags; ships no types

ROOT = Path(__file__).parents[1]
FUNCTION = "AWS::Serverless::Function"
TABLE = "AWS::DynamoDB::Table"
QUEUE = "AWS::SQS::Queue"
SECRET = "AWS::SecretsManager::Secret"

type Data = dict[str, Any]


@dataclass(frozen=True)
class Function:
    """One Lambda: *name* is `<context>/<function>`, *timeout* in seconds, *routes* its API routes with their authorizers."""

    logical_id: str
    name: str
    timeout: int
    environment: Data
    routes: dict[str, str]
    statements: list[Data]

    @property
    def path(self) -> Path:
        """The file that holds the handler."""
        return ROOT / "functions" / f"{self.name}.py"


@cache
def template() -> Data:
    """Return the whole template; short tags are in their long form (`!Ref X` is `{"Ref": "X"}`)."""
    parsed: Data = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


def resources(kind: str) -> dict[str, Data]:
    """Return the properties of every resource of one type, by logical id."""
    found: dict[str, Data] = template()["Resources"]
    return {name: each.get("Properties", {}) for name, each in found.items() if each["Type"] == kind}


def default_of(parameter: str) -> str:
    """Return a template parameter's default as CloudFormation passes it on: text."""
    return str(template()["Parameters"][parameter]["Default"])


@cache
def functions() -> dict[str, Function]:
    """Return every function by name, e.g. `orders/create_order`."""
    return {each.name: each for each in map(_function, *zip(*resources(FUNCTION).items(), strict=True))}


def _function(logical_id: str, properties: Data) -> Function:
    folder = Path(properties["CodeUri"]).relative_to("functions")
    module, _, entry = properties["Handler"].partition(".")
    assert entry == "handler", logical_id
    of_all = template()["Globals"]["Function"]
    timeout = int(properties.get("Timeout", of_all["Timeout"]))
    environment = of_all["Environment"]["Variables"] | properties.get("Environment", {}).get("Variables", {})
    routes = dict(_routes(properties.get("Events", {})))
    statements = list(_statements(properties["Policies"]))
    return Function(logical_id, f"{folder}/{module}", timeout, environment, routes, statements)


def _routes(events: Data) -> Iterator[tuple[str, str]]:
    default = resources("AWS::Serverless::Api")["Api"]["Auth"]["DefaultAuthorizer"]
    for event in events.values():
        if event["Type"] == "Api":
            properties = event["Properties"]
            route = f"{properties['Method'].upper()} {properties['Path']}"
            yield route, properties.get("Auth", {}).get("Authorizer", default)


def _statements(policies: list[Data]) -> Iterator[Data]:
    """Yield the statements of inline policies, also of those behind a condition, with lists for single values."""
    for policy in policies:
        for each in policy.get("Fn::If", [None, policy])[1:]:
            if "Statement" in each:
                statement = each["Statement"]
                yield {name: _listed(statement[name]) for name in ("Action", "Resource")} | {"Effect": statement["Effect"]}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def state_machine_statements() -> list[Data]:
    """Return what the order saga itself may do."""
    return list(_statements(resources("AWS::Serverless::StateMachine")["OrderSaga"]["Policies"]))
