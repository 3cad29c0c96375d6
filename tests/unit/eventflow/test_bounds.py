"""How large, deep and branched a schema may be."""

from typing import Any

import pytest

from tillflow.contexts.eventflow import bounds
from tillflow.contexts.eventflow.bounds import DIALECT, MAX_SUBSCHEMAS, InvalidSchema

TREE = {
    "$defs": {"node": {"properties": {"left": {"$ref": "#/$defs/node"}, "right": {"$ref": "#/$defs/node"}}}},
    "$ref": "#/$defs/node",
}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"properties": {"a": schema}}
    return schema


def doubling(levels: int) -> dict[str, Any]:
    """Return a schema of a few lines in which each definition is used twice by the one before."""
    twice = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(levels)}
    return {"$defs": {**twice, f"d{levels}": {"type": "string"}}, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": DIALECT, "$id": "https://acme.example/order.json", "type": "object"},
        TREE,
        nested(45),
        {"properties": {"$ref": {"type": "string"}, "$anchor": {"const": {"$ref": "https://elsewhere.example"}}}},
        {"$defs": {"a/b~c": True}, "$ref": "#/$defs/a~1b~0c"},
        {"prefixItems": [{"type": "string"}, {"$ref": "#/prefixItems/0"}]},
    ],
)
def test_what_people_write_is_taken(schema: dict[str, Any]) -> None:
    bounds.check(schema)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema: leave it out"),
        ({"items": {"$schema": DIALECT}}, "#/items: $schema"),
        ({"$ref": "https://elsewhere.example/schema.json"}, "Nothing is fetched"),
        ({"items": {"$ref": "file:///etc/passwd"}}, "#/items: $ref"),
        ({"$ref": "#name"}, "#/$defs/<name>"),
        ({"$ref": 7}, "#/$defs/<name>"),
        ({"$ref": "#/$defs/none"}, "not there"),
        ({"$defs": {"a": {"$id": "https://acme.example/a"}}}, "#/$defs/a: $id"),
        ({"$dynamicRef": "#/a"}, "$dynamicRef"),
        ({"pattern": "a" * 513}, "512 characters"),
        ({"patternProperties": {"a" * 513: True}}, "512 characters"),
        ({"enum": ["x" * 65_536]}, "bytes"),
        (nested(49), "48 deep"),
        ({"const": {"a": [[[[nested(49)]]]]}}, "nested deeper"),
        ({"properties": {f"p{n}": {"type": "string"} for n in range(MAX_SUBSCHEMAS)}}, "subschemas"),
        (doubling(40), "subschemas"),
    ],
)
def test_what_has_no_end_or_leads_elsewhere_is_refused_by_its_place(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidSchema, match=r".") as refused:
        bounds.check(schema)

    assert words in refused.value.message
    assert len(refused.value.message) < 1_000


def test_a_schema_is_measured_with_its_references_followed() -> None:
    assert bounds.measure({"anyOf": [{"type": "string"}, {"items": {"type": "null"}}]}) == (4, 3, 0)
    assert bounds.measure(TREE).returns == 2
