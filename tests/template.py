"""template.yaml, and the templates nested in it, as plain data, and the questions that tests ask of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped] # it knows CloudFormation's tags; ships no types

ROOT = Path(__file__).parents[1]
ROOT_TEMPLATE, CONSUMER = "template.yaml", "stacks/consumer.yaml"
NESTED = "AWS::CloudFormation::Stack"
FUNCTION = "AWS::Serverless::Function"
TABLE = "AWS::DynamoDB::Table"
QUEUE = "AWS::SQS::Queue"
SECRET = "AWS::SecretsManager::Secret"
NO_VALUE = {"Ref": "AWS::NoValue"}

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
def written(path: str) -> Data:
    """Return one template as it is written; short tags are in their long form (`!Ref X` is `{"Ref": "X"}`)."""
    parsed: Data = yaml_parse((ROOT / path).read_text())
    return parsed


@cache
def template() -> Data:
    """
    Return the whole stack as one template: nested resources beside the root's, and every reference to the resource itself.

    There is one stack of stacks/consumer.yaml for each consumer, so its resources have its name in front of theirs.
    """
    root = written(ROOT_TEMPLATE)
    own: Data = {}
    known: Data = {}
    for name, each in root["Resources"].items():
        if each["Type"] == NESTED:
            inside, outputs = _unnested(name, each["Properties"])
            own |= inside
            known |= outputs
        else:
            own[name] = each
    merged: Data = _replaced(root | {"Resources": own}, known)
    return merged


def _unnested(stack: str, properties: Data) -> tuple[Data, Data]:
    """Return a nested stack's resources, and its outputs as `<stack>.Outputs.<name>`, in the root's words."""
    path = properties["TemplateURL"]
    its, prefix = written(path), stack if path == CONSUMER else ""
    defaults = {name: each["Default"] for name, each in its["Parameters"].items() if "Default" in each}
    known = defaults | properties["Parameters"] | {name: {"Ref": prefix + name} for name in its["Resources"]}
    resources = {prefix + name: _replaced(each, known) for name, each in its["Resources"].items()}
    outputs = {f"{stack}.Outputs.{name}": _replaced(each["Value"], known) for name, each in its.get("Outputs", {}).items()}
    return resources, outputs


def _replaced(value: Any, known: Mapping[str, Any]) -> Any:
    """Return *value* with every reference to a name that is *known* replaced by what it stands for."""
    match value:
        case {"Ref": str(name)}:
            return _meant(name, known)
        case {"Fn::GetAtt": [name, attribute]}:
            return _meant(f"{name}.{attribute}", known)
        case {"Fn::Sub": str(text)}:
            return {"Fn::Sub": re.sub(r"\$\{([\w.]+)\}", lambda found: _in_text(found[1], known), text)}
        case dict():
            return {name: _replaced(each, known) for name, each in value.items()}
        case list():
            return [_replaced(each, known) for each in value]
    return value


def _meant(name: str, known: Mapping[str, Any]) -> Any:
    """Return what is meant by a reference to *name* (`X`, or `X.attribute`)."""
    first, _, attribute = name.partition(".")
    itself = {"Fn::GetAtt": [first, attribute]} if attribute else {"Ref": first}
    if name in known:
        return itself if known[name] == itself else _replaced(known[name], known)
    return {"Fn::GetAtt": [known[first]["Ref"], attribute]} if first in known else itself


def _in_text(name: str, known: Mapping[str, Any]) -> str:
    """Return what is meant by `${name}` in the text of a `!Sub`."""
    match _meant(name, known):
        case {"Ref": other}:
            return f"${{{other}}}"
        case {"Fn::GetAtt": [other, attribute]}:
            return f"${{{other}.{attribute}}}"
        case value:
            return str(value)


def resources(kind: str) -> dict[str, Data]:
    """Return the properties of every resource of one type, by logical id."""
    found: dict[str, Data] = template()["Resources"]
    return {name: each.get("Properties", {}) for name, each in found.items() if each["Type"] == kind}


def default_of(parameter: str) -> str:
    """Return a template parameter's default as CloudFormation passes it on: text."""
    return str(template()["Parameters"][parameter]["Default"])


def filled_in(text: str) -> str:
    """Return the text of a `!Sub` with the names of what stands in it for what that is."""
    return re.sub(r"\$\{(?:AWS::)?([\w.]+)\}", r"\1", text)


def environment_of_all() -> Data:
    """Return the variables that every function is deployed with."""
    variables: Data = template()["Globals"]["Function"]["Environment"]["Variables"]
    return {name: value for name, value in variables.items() if value != NO_VALUE}


@cache
def functions() -> dict[str, Function]:
    """Return every function by name, e.g. `orders/create_order`."""
    return {each.name: each for each in map(_function, *zip(*resources(FUNCTION).items(), strict=True))}


def _function(logical_id: str, properties: Data) -> Function:
    folder = Path(properties["CodeUri"]).relative_to("functions")
    module, _, entry = properties["Handler"].partition(".")
    assert entry == "handler", logical_id
    timeout = int(properties.get("Timeout", template()["Globals"]["Function"]["Timeout"]))
    environment = environment_of_all() | properties.get("Environment", {}).get("Variables", {})
    routes = dict(_routes(logical_id))
    statements = list(_statements(properties["Policies"]))
    return Function(logical_id, f"{folder}/{module}", timeout, environment, routes, statements)


def _routes(logical_id: str) -> Iterator[tuple[str, str]]:
    """Yield the routes that lead to a function, with their authorizers."""
    for path, methods in resources("AWS::Serverless::Api")["Api"]["DefinitionBody"]["paths"].items():
        for method, operation in methods.items():
            if f"${{{logical_id}.Arn}}" in operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]:
                ((authorizer, _),) = operation["security"][0].items()
                yield f"{method.upper()} {path}", authorizer


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
