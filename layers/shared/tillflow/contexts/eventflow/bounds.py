"""
How large, deep and branched a schema may be: whoever checks by it, or proves something of it, must come to an end.

Decided without I/O, and without the libraries that go by the schema later (docs/adr/0021). Nothing is ever fetched: a
reference names a place of its own document.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from tillflow.errors import Invalid
from tillflow.values import jsontext

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_BYTES = 64 * 1024
# Subschemas within each other, with references followed; and JSON, which has two levels for most of them.
MAX_DEPTH, _MAX_NESTING = 48, 100
MAX_PATTERN_LENGTH = 512
# Each counted wherever it is used: a definition that two refer to is two.
MAX_SUBSCHEMAS = 2_000

_NAMED = ("$defs", "dependentSchemas", "patternProperties", "properties")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_CHOICES = ("anyOf", "oneOf")
# Other ways to name a place than a pointer from the root, and ways to change what keywords mean.
_REFUSED = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$vocabulary")
_AT_ROOT = ("$id", "$schema")
_LONGEST_INDEX = 5
_POINTER = re.compile(r"#(/.*)?", re.DOTALL)


class InvalidSchema(Invalid):
    """It is no JSON Schema (2020-12), or is larger, deeper or more branched than events are checked by."""

    status = 400
    code = "INVALID_SCHEMA"
    title = "Invalid schema"


class Breadth(NamedTuple):
    """
    What a schema amounts to where its references are followed.

    *subschemas*: each where it is used; *chosen*: how many of them lie in an `anyOf` or `oneOf`; *returns*: how many
    references lead back into what they lie in.
    """

    subschemas: int
    chosen: int
    returns: int


class _Visit(NamedTuple):
    schema: Any
    place: str
    opened: frozenset[tuple[str, ...]]  # the references that led here
    depth: int
    is_chosen: bool = False
    is_used: bool = True  # else it is only defined: what refers to it is where it counts


def check(schema: dict[str, Any]) -> None:
    """
    Go on only with a schema that is bounded.

    Raises:
        InvalidSchema: the message names the place, as a JSON Pointer, and what to do.
    """
    _check_nesting(schema)
    size = len(jsontext.dumps(schema).encode())
    if size > MAX_BYTES:
        raise InvalidSchema(f"The schema has {size:,} bytes, {MAX_BYTES:,} are taken.")
    if schema.get("$schema", DIALECT) != DIALECT:
        raise InvalidSchema(f"$schema: leave it out, or say {DIALECT}.")
    measure(schema)


def measure(schema: dict[str, Any]) -> Breadth:
    """Return what a schema amounts to; else as `check`."""
    subschemas = chosen = returns = 0
    left = [_Visit(schema, "#", frozenset({()}), 0)]
    while left:
        visit = left.pop()
        subschemas, chosen = subschemas + 1, chosen + (visit.is_chosen and visit.is_used)
        if subschemas > MAX_SUBSCHEMAS:
            raise InvalidSchema(f"More than {MAX_SUBSCHEMAS:,} subschemas, each counted wherever it is referred to.")
        if visit.depth > MAX_DEPTH:
            raise InvalidSchema(f"{visit.place}: subschemas go {MAX_DEPTH} deep at most, with references followed.")
        if not isinstance(visit.schema, dict):
            continue
        left += _members(visit)
        if "$ref" in visit.schema:
            place = _place_of(visit.schema["$ref"], visit.place)
            found = _find(schema, place, visit.place)
            if place in visit.opened:
                returns += visit.is_used
            elif visit.is_used:
                opened = visit.opened | {place}
                left.append(_Visit(found, "/".join(("#", *place)), opened, visit.depth + 1, visit.is_chosen))
    return Breadth(subschemas, chosen, returns)


def _check_nesting(schema: dict[str, Any]) -> None:
    level: list[Any] = [schema]
    for _ in range(_MAX_NESTING):
        containers = [value for value in level if isinstance(value, dict | list)]
        level = [each for value in containers for each in (value.values() if isinstance(value, dict) else value)]
        if not level:
            return
    raise InvalidSchema(f"The schema is nested deeper than {_MAX_NESTING}.")


def _members(visit: _Visit) -> Iterator[_Visit]:
    """Yield the subschemas within one; what has not its keyword's form is the meta-schema's business."""
    _check_words(visit.schema, visit.place)
    for keyword in (*_NAMED, *_LISTED, *_SINGLE):
        value = visit.schema.get(keyword)
        members: list[tuple[object, Any]] = []
        if keyword in _NAMED:
            members += value.items() if isinstance(value, dict) else ()
        elif keyword in _LISTED:
            members += enumerate(value) if isinstance(value, list) else ()
        elif isinstance(value, dict):
            members.append(("", value))
        for name, member in members:
            place = f"{visit.place}/{keyword}/{name}".removesuffix("/")
            is_chosen, is_used = visit.is_chosen or keyword in _CHOICES, visit.is_used and keyword != "$defs"
            yield _Visit(member, place, visit.opened, visit.depth + 1, is_chosen, is_used)


def _check_words(schema: dict[str, Any], place: str) -> None:
    for word in (*_REFUSED, *(() if place == "#" else _AT_ROOT)):
        if word in schema:
            raise InvalidSchema(f"{place}: {word} is not taken here. A reference names a place of this document: #/$defs/<name>.")
    patterns = schema.get("patternProperties")
    for pattern in (schema.get("pattern"), *(patterns if isinstance(patterns, dict) else ())):
        if isinstance(pattern, str) and len(pattern) > MAX_PATTERN_LENGTH:
            raise InvalidSchema(f"{place}: a pattern has {MAX_PATTERN_LENGTH} characters at most.")


def _place_of(reference: object, at: str) -> tuple[str, ...]:
    """Return the names that lead from the root to what is referred to (RFC 6901)."""
    pointer = unquote(reference) if isinstance(reference, str) else ""
    if not _POINTER.fullmatch(pointer):
        raise InvalidSchema(f"{at}: $ref names a place of this document: #/$defs/<name>. Nothing is fetched.")
    return tuple(name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:])


def _find(schema: Any, place: tuple[str, ...], at: str) -> Any:
    for name in place:
        if isinstance(schema, dict) and name in schema:
            schema = schema[name]
        elif isinstance(schema, list) and name.isdecimal() and len(name) <= _LONGEST_INDEX and int(name) < len(schema):
            schema = schema[int(name)]
        else:
            raise InvalidSchema(f"{at}: $ref names a place that is not there.")
    return schema
