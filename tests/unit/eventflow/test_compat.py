"""May readers of earlier versions read a new one?"""

from typing import Any

import pytest

from tests.unit.eventflow.test_bounds import TREE
from tillflow.contexts.eventflow import compat

STRING, INTEGER, NUMBER = ({"type": name} for name in ("string", "integer", "number"))
UUID = {"type": "string", "format": "uuid"}


def record(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), **more}


@pytest.mark.parametrize(
    ("earlier", "new"),
    [
        (record({"a": STRING}, "a"), record({"a": STRING, "b": INTEGER}, "a")),
        (record({"a": STRING}), record({"a": STRING}, "a")),
        (record({"id": UUID}, "id"), record({"id": UUID, "n": INTEGER}, "id")),
        (NUMBER, INTEGER),
        ({"enum": ["a", "b", "c"]}, {"enum": ["a", "b"]}),
        ({"type": ["string", "null"]}, STRING),
        (STRING, STRING | {"maxLength": 9, "description": "as before"}),
        (STRING | {"pattern": "^a"}, STRING | {"pattern": "^a", "maxLength": 9}),
        (TREE, TREE | {"required": ["left"]}),
        ({"$defs": {"m": record({"c": STRING})}, "$ref": "#/$defs/m"}, record({"c": STRING, "d": STRING})),
    ],
)
def test_a_version_that_only_says_more_is_compatible(earlier: dict[str, Any], new: dict[str, Any]) -> None:
    assert compat.incompatibilities(new, [(1, earlier)]) == []


@pytest.mark.parametrize(
    ("earlier", "new", "words"),
    [
        (record({"a": STRING}, "a"), record({"a": STRING}), "version 1's"),
        (record({"a": STRING}), record({"a": INTEGER}), "version 1's"),
        (INTEGER, NUMBER, "0.5 fits this schema, and not version 1's"),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, '"b" fits'),
        ({"const": 1}, {"const": True}, "true fits"),  # to Python they are equal
        # What was said of a field is no longer said of it.
        (record({"a": STRING, "b": INTEGER}), record({"a": STRING}), "#/properties/b"),
        (
            record({"a": STRING}, additionalProperties=False),
            record({"a": STRING, "b": {}}, additionalProperties=False),
            "property 'b'",
        ),
        # True, but not shown.
        (STRING | {"pattern": "^[a-z]+$"}, STRING | {"pattern": "^[a-y]+$"}, "pattern"),
    ],
)
def test_what_cannot_be_shown_compatible_says_why(earlier: dict[str, Any], new: dict[str, Any], words: str) -> None:
    (found,) = compat.incompatibilities(new, [(1, earlier)])

    assert found.version == 1
    assert words in found.reason


def test_every_earlier_version_is_asked_for() -> None:
    versions = [(1, record({"a": STRING})), (2, record({"a": STRING}, "a")), (3, record({"a": {"type": ["string", "null"]}}))]

    assert [each.version for each in compat.incompatibilities(record({"a": STRING}), versions)] == [2]


@pytest.mark.parametrize(
    ("earlier", "new"),
    [
        # Each of these made jsoncompat 0.5.0 run for minutes, or die for want of memory.
        ({"type": "array", "minItems": 10**9}, {"type": "array", "minItems": 10**8}),
        *(
            (
                {
                    "$defs": {f"d{n}": record({"a": ref, "b": ref}, "a", "b") for n, ref in references} | {"d25": end},
                    "$ref": "#/$defs/d0",
                },
                {
                    "$defs": {f"d{n}": record({"a": ref, "b": ref}, "a", "b") for n, ref in references} | {"d25": STRING},
                    "$ref": "#/$defs/d0",
                },
            )
            for references in [[(n, {"$ref": f"#/$defs/d{n + 1}"}) for n in range(25)]]
            for end in [STRING | {"minLength": 2}]
        ),
    ],
)
def test_what_the_prover_does_not_survive_is_not_shown(
    earlier: dict[str, Any], new: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compat, "SECONDS", 2)
    versions = [(1, new | {"description": "compatible"}), (2, earlier), (3, new | {"description": "not reached"})]

    found = compat.incompatibilities(new, versions)

    assert [each.version for each in found] == [2, 3]
    assert all("could not be decided" in each.reason for each in found)


def test_a_prover_that_does_not_start_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])

    with pytest.raises(RuntimeError, match="did not start"):
        compat.incompatibilities({}, [(1, STRING)])
