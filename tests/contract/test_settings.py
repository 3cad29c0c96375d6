"""The environment: what code reads, the template sets for the functions that run that code, and nothing for nobody."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import template
from tests.template import Function
from tillflow.runtime.config import MissingSetting, number, setting

LAYER = template.ROOT / "layers" / "shared"
READERS = {"setting", "number", "current", "versions"}  # config's, and secrets', which read the variable with an ARN
# Read by libraries, not by us.
OF_LIBRARIES = {"POWERTOOLS_SERVICE_NAME", "PYDANTIC_DISABLE_PLUGINS"}
EVERY = [pytest.param(function, id=name) for name, function in template.functions().items()]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def module_file(name: str) -> Path | None:
    path = LAYER / Path(*name.split("."))
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.exists()), None)


def imported_by(path: Path) -> Iterator[Path]:
    """Yield the layer's files that a file imports, wherever in it."""
    for node in ast.walk(parsed(path)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from tillflow import clock` names a module, `from tillflow.values.clock import now` what is in one.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from filter(None, map(module_file, names))


def closure(path: Path) -> set[Path]:
    """Return every file that runs when a function's file is imported and used."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += imported_by(each)
    return seen


def settings_in(path: Path) -> Iterator[str]:
    """Yield the names of the environment variables that a file reads through `config` and `secrets`."""
    constants = {
        target.id: node.value.value
        for node in parsed(path).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in READERS and node.args:
                (first, *_) = node.args
                value = first.value if isinstance(first, ast.Constant) else constants.get(getattr(first, "id", ""))
                if isinstance(value, str) and value.isupper():
                    yield value


@pytest.mark.parametrize("function", EVERY)
def test_a_function_has_every_setting_that_its_code_reads(function: Function) -> None:
    wanted = {name for path in closure(function.path) for name in settings_in(path)}

    assert wanted - set(function.environment) == set()


def test_what_is_read_is_found_by_this_file() -> None:
    found = {name for path in closure(template.functions()["order_saga/resume_stuck_orders"].path) for name in settings_in(path)}

    assert {"ORDER_SAGA_ARN", "ORDERS_TABLE", "ORDER_DEADLINE_SECONDS", "CART_SNAPSHOT_SECRET_ARN"} <= found


def test_no_setting_is_there_for_nobody() -> None:
    read = {name for path in LAYER.rglob("*.py") for name in settings_in(path)} | OF_LIBRARIES

    assert {name for function in template.functions().values() for name in function.environment} - read == set()


@pytest.mark.parametrize("function", EVERY)
def test_no_secret_is_in_the_environment(function: Function) -> None:
    """A variable names a secret by its ARN; the value stays in Secrets Manager."""
    for name, value in function.environment.items():
        assert name.endswith("_SECRET_ARN") or "SECRET" not in name
        assert "{{resolve" not in str(value)


def test_only_config_reads_the_environment() -> None:
    readers = {path.name for path in LAYER.rglob("*.py") if re.search(r"os\.environ|getenv", path.read_text())}

    assert readers == {"config.py"}


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_SETTING", raising=False)

    with pytest.raises(MissingSetting, match=r"NO_SUCH_SETTING .* template\.yaml"):
        setting("NO_SUCH_SETTING")


def test_an_empty_setting_is_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation sets an empty parameter as an empty variable."""
    monkeypatch.setenv("EMPTY", "")

    assert setting("EMPTY", "default") == "default"
    with pytest.raises(MissingSetting):
        setting("EMPTY")


def test_a_number_is_read_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDS", "90")

    assert number("SECONDS", 5) == 90
    assert number("OTHER_SECONDS", 5) == 5
