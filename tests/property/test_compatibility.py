"""What jsoncompat proves compatible: nothing fits the new schema and not the old one, and another prover never says so either."""

import json
from contextlib import suppress
from typing import Any

import jsoncompat
import jsonschema_rs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema_rs.canonical import UnsupportedOperand

from tillflow.contexts.eventflow.fitting import Fitting

type Schema = dict[str, Any]

names = st.sampled_from(["a", "b", "c"])
texts = st.sampled_from(["", "a", "b", "ab", "aaaa", "x" * 10, "É", "2026-01-31"])
numbers = st.sampled_from([-1, 0, 1, 2, 3, 4, 6, 7, 10, 0.5, 1.5, -0.5, 2.0, 1000])
scalars = st.none() | st.booleans() | texts | numbers
values = st.recursive(
    scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(names | st.just("z"), each, max_size=4), max_leaves=6
)


def bounded(kind: str, keywords: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Schema]:
    return st.fixed_dictionaries({"type": st.just(kind)}, optional=keywords)


lengths = st.integers(0, 6)
plain = st.one_of(
    st.just({}),
    st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"]).map(lambda kind: {"type": kind}),
    bounded("string", {"minLength": lengths, "maxLength": lengths, "pattern": st.sampled_from(["^a", "a$", "^[a-c]*$"])}),
    *(
        bounded(
            kind,
            dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), numbers)
            | {"multipleOf": st.sampled_from([1, 2, 0.5])},
        )
        for kind in ("number", "integer")
    ),
    st.lists(scalars, min_size=1, max_size=3).map(lambda members: {"enum": members}),
    scalars.map(lambda value: {"const": value}),
)


def within(member: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    some = st.lists(member, min_size=1, max_size=3)
    objects = {
        "properties": st.dictionaries(names, member, max_size=3),
        "required": st.lists(names, unique=True),
        "additionalProperties": st.booleans() | member,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "[bc]"]), member, max_size=1),
        "maxProperties": lengths,
        "dependentRequired": st.just({"a": ["b"]}),
    }
    arrays = {
        "items": member,
        "prefixItems": some,
        "minItems": lengths,
        "maxItems": lengths,
        "uniqueItems": st.booleans(),
        "contains": member,
    }
    return st.one_of(
        bounded("object", objects),
        bounded("object", objects),
        bounded("array", arrays),
        *(st.fixed_dictionaries({word: some}) for word in ("allOf", "anyOf", "oneOf")),
        member.map(lambda each: {"not": each}),
        st.fixed_dictionaries({"if": member, "then": member, "else": member}),
    )


schemas = st.recursive(plain, within, max_leaves=6)


@st.composite
def changed(draw: st.DrawFn, schema: Schema) -> Schema:
    """Return a schema that somebody made of another: one keyword or one member is another, more is asked, or less."""
    if not schema or draw(st.integers(0, 4)) == 0:
        return {**schema, **draw(schemas)}
    word = draw(st.sampled_from(sorted(schema)))
    value = schema[word]
    if draw(st.integers(0, 3)) == 0:
        return {name: each for name, each in schema.items() if name != word}
    match word, value:
        case "properties" | "patternProperties", dict():
            name = draw(names)
            value = value | {name: draw(changed(value.get(name, {})))}
        case "items" | "not" | "if" | "then" | "else" | "contains" | "additionalProperties", dict():
            value = draw(changed(value))
        case "allOf" | "anyOf" | "oneOf" | "prefixItems", [first, *others]:
            value = [draw(changed(first)), *others]
        case "minLength" | "maxLength" | "minimum" | "maximum" | "minItems" | "maxItems" | "maxProperties", _:
            value = max(0, value + draw(st.sampled_from([-1, 1])))
        case _:
            return {draw(st.sampled_from(["allOf", "anyOf"])): [schema, draw(plain)]}
    return schema | {word: value}


@settings(max_examples=400)
@given(st.data())
def test_what_fits_a_version_that_is_proven_compatible_fits_the_earlier_one(data: st.DataObject) -> None:
    earlier = data.draw(schemas)
    new = data.draw(changed(earlier))
    verdict = jsoncompat.analyze_compat(json.dumps(earlier), json.dumps(new), jsoncompat.Role.SERIALIZER)
    assume(verdict["status"] == "compatible")

    old_fits, new_fits = Fitting(earlier), Fitting(new)
    sent = data.draw(st.lists(values, min_size=20, max_size=20))
    for value in (*sent, *generated(new)):
        assert old_fits.takes(value) or not new_fits.takes(value), value
    with suppress(UnsupportedOperand):  # it cannot tell
        assert str(jsonschema_rs.canonicalize(earlier).covers(jsonschema_rs.canonicalize(new))) != "no"


def generated(schema: Schema) -> list[Any]:
    """Return some values that fit, as the prover itself makes them; none where there are none."""
    try:
        generator = jsoncompat.generator_for(json.dumps(schema))
        return [json.loads(generator.generate_value(4)) for _ in range(5)]
    except ValueError:
        return []
