"""The document of the API (docs/openapi.json) is what the functions do, and is served as it is committed."""

import json
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, get_args

import pytest
import schemathesis
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped] # it ships no types
from pydantic import BaseModel

from local.docs import openapi
from local.docs.openapi.routes import routes
from local.shop.samples import sample
from tests import template
from tests.contract.test_samples import arranged, run
from tests.world import World
from tillflow.contexts.order_saga import service as saga
from tillflow.contexts.orders.answers import FailureReason
from tillflow.contexts.stock import rules as stock_rules
from tillflow.web.authorization import AUTHENTICATED, PUBLIC, ROUTES
from tillflow.web.request import Request

__all__ = ["arranged"]

type Json = dict[str, Any]

DOCUMENT: Json = json.loads(openapi.PATH.read_text())
# What is no refusal, but tells which table is missing.
REPORTS = {("GET /readyz", "503"), ("GET /api/v1/health", "503")}
NOTES = {f"{route.method.upper()} {route.path}": route.notes for route in routes()}
SAMPLES = [name for name, function in template.functions().items() if function.routes]


def operations() -> Iterator[tuple[str, Json]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def resolved(node: Any) -> Any:
    """Return a response, header, … itself where *node* is a reference to it."""
    if "$ref" in node:
        _, kind, name = node["$ref"].rsplit("/", 2)
        return DOCUMENT["components"][kind][name]
    return node


def strict(node: Any) -> Any:
    """Return a schema in which an object has no fields but those it names, unless it says so."""
    if isinstance(node, list):
        return [strict(each) for each in node]
    if isinstance(node, dict):
        closed = {"additionalProperties": False} if "properties" in node else {}
        return closed | {name: strict(value) for name, value in node.items()}
    return node


def problems(schema: Json, value: object) -> list[str]:
    whole = strict(DOCUMENT["components"]["schemas"])
    checked = {"allOf": [strict(schema)], "components": {"schemas": whole}}
    return [error.message for error in Draft202012Validator(checked, format_checker=FormatChecker()).iter_errors(value)]


def fetched(page: str) -> list[str]:
    """Return every address that a page's tags name."""
    addresses: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            del tag
            addresses.extend(value or "" for name, value in attrs if name in ("href", "src"))

    Reader().feed(page)
    return addresses


def answer_of(world: World, name: str) -> tuple[Json, Mapping[str, Any]]:
    """Return the documented response to a function's sample, and its answer."""
    answer = run(world, name)
    event = sample(name)
    operation = DOCUMENT["paths"][event["resource"]][event["httpMethod"].lower()]
    assert str(answer["statusCode"]) in operation["responses"], answer
    return resolved(operation["responses"][str(answer["statusCode"])]), answer


def test_the_committed_document_is_in_step_with_the_functions() -> None:
    assert openapi.PATH.read_text() == openapi.text(), "a route has changed: run `make docs`"


def test_the_document_is_valid_openapi() -> None:
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_every_route_is_in_the_document_and_has_an_id_of_its_own() -> None:
    assert {route for route, _ in operations()} == set(ROUTES)
    ids = [operation["operationId"] for _, operation in operations()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_tells_its_credentials_and_what_it_demands(route: str) -> None:
    security = dict(operations())[route]["security"]

    assert bool(security) == (ROUTES[route] != PUBLIC)
    for alternative in security:
        ((scheme, scopes),) = alternative.items()
        assert scheme in DOCUMENT["components"]["securitySchemes"]
        assert scopes == ([] if ROUTES[route] == AUTHENTICATED else [ROUTES[route]])


@pytest.mark.parametrize("name", SAMPLES)
def test_the_answer_to_a_sample_is_as_documented(arranged: World, name: str) -> None:
    documented, answer = answer_of(arranged, name)

    media_type = answer["headers"]["Content-Type"].partition(";")[0]
    if answer["statusCode"] == 204:
        assert (answer["body"], "content" in documented) == ("", False)
    else:
        schema = documented["content"][media_type]["schema"]
        value = json.loads(answer["body"]) if media_type == "application/json" else answer["body"]
        assert problems(schema, value) == []
    assert set(documented.get("headers", {})) <= {*answer["headers"], "x-idempotent-replay"}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_function_reads_what_its_route_notes(arranged: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[type[BaseModel]] = []
    keyed: list[str] = []
    fit, key, required_key = Request.fit, Request.idempotency, Request.required_key

    def noting_fit(self: Request, model: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
        read.append(model)
        return fit(self, model, values)

    def noting_key(self: Request, operation: str, **how: Any) -> Any:
        keyed.append(operation)
        return key(self, operation, **how)

    def noting_required_key(self: Request) -> str:
        keyed.append("required")
        return required_key(self)

    event = sample(name)
    run(arranged, name)
    monkeypatch.setattr(Request, "fit", noting_fit)
    monkeypatch.setattr(Request, "idempotency", noting_key)
    monkeypatch.setattr(Request, "required_key", noting_required_key)

    arranged.invoke(name, event)

    notes = NOTES[f"{event['httpMethod']} {event['resource']}"]
    assert read == [notes[part] for part in ("body", "query", "path", "patch") if part in notes]
    assert bool(keyed) == ("key" in notes)


@pytest.mark.parametrize(("route", "operation"), list(operations()))
def test_every_example_fits_its_schema(route: str, operation: Json) -> None:
    for status, response in operation["responses"].items():
        for content in resolved(response).get("content", {}).values():
            for code, example in content.get("examples", {}).items():
                assert problems(content["schema"], example["value"]) == [], (route, status, code)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        assert problems(content["schema"], content["example"]) == [], route


@pytest.mark.parametrize(("route", "operation"), list(operations()))
def test_every_refusal_has_the_one_error_body(route: str, operation: Json) -> None:
    required = set(DOCUMENT["components"]["schemas"]["ErrorBody"]["required"])
    for status, response in operation["responses"].items():
        if status >= "400" and (route, status) not in REPORTS:
            schema = resolved(resolved(response)["content"]["application/json"]["schema"])
            assert required <= set(schema["required"]), (route, status)


def test_every_reason_of_a_failure_is_documented() -> None:
    words = {
        value
        for module in (stock_rules, saga)
        for value in vars(module).values()
        if isinstance(value, str) and re.fullmatch(r"[A-Z]+_[A-Z_]+", value)
    }

    assert words - {"ORDER_CANCELED"} == set(get_args(FailureReason))


def test_the_document_is_served_as_it_is_committed(world: World) -> None:
    assert world.call("GET /openapi.json", roles=None).text == openapi.PATH.read_text()


def test_the_page_needs_nothing_from_elsewhere_and_may_run_its_own_scripts_only(world: World) -> None:
    answer = world.call("GET /docs", roles=None)

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert len(answer.text.encode()) < 6_000_000  # what a Lambda may answer
    assert fetched(answer.text) == ["data:,"]
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
