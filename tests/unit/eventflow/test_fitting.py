"""Does a payload fit a schema, and if not, where? Whatever is sent, the answer comes at once."""

import time
from decimal import Decimal
from typing import Any

import pytest

from tillflow.contexts.eventflow.bounds import InvalidSchema
from tillflow.contexts.eventflow.fitting import Fitting
from tillflow.values import jsontext

ORDER = {
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": {"properties": {"quantity": {"type": "integer"}}}},
        "at": {"format": "date-time"},
    },
    "required": ["items"],
    "additionalProperties": False,
}
# Of an error in one, the library would tell of every branch of every branch: it took 3 GB eighteen levels deep.
CHOICES = {
    "$defs": {
        "node": {
            "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"allOf": [{"$ref": "#/$defs/node"}]}]}},
            "type": "object",
        }
    },
    "$ref": "#/$defs/node",
}


def chain(length: int, end: Any) -> Any:
    for _ in range(length):
        end = {"next": end}
    return end


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"items": []}, None),
        ({"items": [], "at": "not a moment: a format says what a text means, and refuses none"}, None),
        ({"items": [{"quantity": 1}, {"quantity": "my secret"}]}, 'payload.items.1.quantity: it is not of type "integer"'),
        ({}, 'payload: "items" is a required property'),
        ({"items": [], "extra": 1}, "payload: Additional properties are not allowed ('extra' was unexpected)"),
    ],
)
def test_a_problem_names_its_place_and_repeats_no_value(payload: Any, problem: str | None) -> None:
    assert Fitting(ORDER).problem(payload) == problem


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"properties": {"a": {"type": "strin"}}}, "#/properties/a/type"),
        ({"required": "a"}, "#/required"),
        ({"items": {"pattern": "(?=a)"}}, "#/items/pattern"),  # linear time has no lookahead
        ({"pattern": "(a)\\1"}, "#/pattern"),
        ({"pattern": "(a{1000}){1000}"}, "#/pattern"),
    ],
)
def test_what_is_no_schema_is_refused_by_its_place(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidSchema, match=words):
        Fitting(schema)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_no_pattern_takes_longer_than_its_text(pattern: str) -> None:
    began = time.perf_counter()

    assert Fitting({"pattern": pattern}).problem("a" * 100_000 + "!") is not None
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("levels", [9, 18, 60])
def test_choices_within_choices_are_not_all_told_of(levels: int) -> None:
    fitting, began = Fitting(CHOICES), time.perf_counter()

    assert fitting.problem(chain(levels, {})) is None
    assert (fitting.problem(chain(levels, 5)) or "").startswith("payload.next: " if levels < 10 else "payload: ")
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("number", ["0.1", "1e400", "1e999999999", "1e-999999999", "1" * 4_000])
def test_numbers_are_compared_as_they_are_written(number: str) -> None:
    payload = jsontext.loads(f'{{"n": {number}}}')

    for schema in ({"type": "integer"}, {"maximum": 5}, {"multipleOf": 3}, {"const": 7}):
        assert (Fitting({"properties": {"n": schema}}).problem(payload) or "payload.n").startswith("payload.n")
    assert Fitting({"properties": {"n": {"multipleOf": Decimal("0.1")}}}).takes(jsontext.loads('{"n": 0.3}'))


def test_half_of_a_character_fits_no_schema() -> None:
    assert "half of a character" in str(Fitting({"properties": {"a": {"pattern": "^a"}}}).problem({"a": "\ud800"}))
    with pytest.raises(InvalidSchema):
        Fitting({"const": "\ud800"})


def test_of_many_errors_the_first_is_told() -> None:
    schema = {"properties": {"l": {"items": {"anyOf": [{"minLength": n, "type": "string"} for n in range(20)]}}}}
    began = time.perf_counter()

    assert Fitting(schema).problem({"l": [1] * 100_000})
    assert time.perf_counter() - began < 1
