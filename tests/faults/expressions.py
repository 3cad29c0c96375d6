"""
DynamoDB's expressions (Developer Guide: condition and update expressions), as far as the stack writes them.

Compiled once for each text, for there are few of them and each is evaluated thousands of times. Items are what goes over
the wire: typed attribute values, `{"available": {"N": "3"}}`. What is not known here fails the test that needs it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Self

import pytest
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

type Value = dict[str, Any]
type Item = dict[str, Value]

_TOKEN = re.compile(r"\s*(<=|>=|[=<>(),]|[#:]?\w+)")
_WORD = re.compile(r"[#:]?\w+")
# Those of DynamoDB's reserved words that are no names here.
_OPERATORS = {"ADD", "AND", "BETWEEN", "IN", "OR", "SET"}
_RESERVED = set(ReservedKeywords.get_reserved_keywords()) - _OPERATORS


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression is about: an *item* (empty where there is none), and what its `#names` and `:values` stand for."""

    item: Item
    names: Mapping[str, str]
    values: Mapping[str, Value]

    @classmethod
    def of(cls, item: Item | None, request: Mapping[str, Any]) -> Self:
        """Return the scope of a *request* on *item*."""
        return cls(item or {}, request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {}))


type Term = Callable[[Scope], Value | None]
type Test = Callable[[Scope], bool]
type Step = Callable[[Scope, Item], None]


def comparable(value: Value) -> tuple[str, Any]:
    """Return *value* as what compares as DynamoDB does: within a type only, numbers by what they are worth."""
    ((kind, raw),) = value.items()
    return kind, Decimal(raw) if kind == "N" else raw


def _compared(by: Callable[[Any, Any], bool]) -> Callable[[Value | None, Value | None], bool]:
    def compare(left: Value | None, right: Value | None) -> bool:
        if left is None or right is None:
            return False
        (kind, one), (other_kind, other) = comparable(left), comparable(right)
        return kind == other_kind and by(one, other)

    return compare


_COMPARE = {
    "=": _compared(lambda one, other: one == other),
    "<": _compared(lambda one, other: one < other),
    "<=": _compared(lambda one, other: one <= other),
    ">": _compared(lambda one, other: one > other),
    ">=": _compared(lambda one, other: one >= other),
}


class _Reader:
    """Reads one expression, token by token."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s", "", text):
            self.fail()

    def fail(self) -> Any:
        pytest.fail(f"the harness does not know the expression {self._text!r}")

    @property
    def next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def take(self, *expected: str) -> str:
        if not self._tokens or (expected and self.next not in expected):
            self.fail()
        return str(self._tokens.pop(0))

    def takes(self, token: str) -> bool:
        return self.next == token and bool(self.take())

    def several[T](self, read: Callable[[], T], between: str = ",") -> list[T]:
        found = [read()]
        while self.takes(between):
            found.append(read())
        return found

    def name(self) -> Callable[[Scope], str]:
        token = self.take()
        return (lambda scope: scope.names[token]) if token.startswith("#") else (lambda _: token)

    def term(self) -> Term:
        if self.next.startswith(":"):
            token = self.take()
            return lambda scope: scope.values[token]
        if self.takes("if_not_exists"):
            self.take("(")
            attribute, _, otherwise, _ = self.name(), self.take(","), self.term(), self.take(")")
            return lambda scope: scope.item.get(attribute(scope)) or otherwise(scope)
        name = self.name()
        return lambda scope: scope.item.get(name(scope))

    def condition(self) -> Test:
        tests = self.several(lambda: self.several(self._predicate, "AND"), "OR")
        return lambda scope: any(all(test(scope) for test in both) for both in tests)

    def _predicate(self) -> Test:
        if self.takes("("):
            inner, _ = self.condition(), self.take(")")
            return inner
        if self.next in ("attribute_exists", "attribute_not_exists"):
            wanted, _, name, _ = self.take() == "attribute_exists", self.take("("), self.name(), self.take(")")
            return lambda scope: (name(scope) in scope.item) == wanted
        if self.takes("begins_with"):
            self.take("(")
            text, _, start, _ = self.term(), self.take(","), self.term(), self.take(")")
            return lambda scope: str((text(scope) or {}).get("S", "")).startswith((start(scope) or {})["S"])
        return self._comparison(self.term())

    def _comparison(self, left: Term) -> Test:
        if self.takes("IN"):
            _, wanted, _ = self.take("("), self.several(self.term), self.take(")")
            return lambda scope: any(_COMPARE["="](left(scope), each(scope)) for each in wanted)
        if self.takes("BETWEEN"):
            low, _, high = self.term(), self.take("AND"), self.term()
            return lambda scope: _COMPARE[">="](left(scope), low(scope)) and _COMPARE["<="](left(scope), high(scope))
        compare, right = _COMPARE[self.take(*_COMPARE)], self.term()
        return lambda scope: compare(left(scope), right(scope))

    def update(self) -> list[Step]:
        steps: list[Step] = []
        while self.next:
            clause = {"SET": self._set, "ADD": self._add, "REMOVE": self._remove}[self.take("SET", "ADD", "REMOVE")]
            steps += self.several(clause)
        return steps

    def _set(self) -> Step:
        name, _, term = self.name(), self.take("="), self.term()
        return lambda scope, after: after.update({name(scope): term(scope) or self.fail()})

    def _add(self) -> Step:
        name, term = self.name(), self.term()
        return lambda scope, after: after.update({name(scope): _sum(scope.item.get(name(scope)), term(scope))})

    def _remove(self) -> Step:
        name = self.name()

        def remove(scope: Scope, after: Item) -> None:
            after.pop(name(scope), None)

        return remove


def _sum(*numbers: Value | None) -> Value:
    return {"N": str(sum(Decimal(number["N"]) for number in numbers if number))}


@cache
def check(texts: tuple[str, ...], given: tuple[str, ...]) -> None:
    """Fail a test whose expressions DynamoDB refuses: they use other names or values than are *given*, or reserved words."""
    words = {word for text in texts for word in _WORD.findall(text)}
    if {word for word in words if word[0] in "#:"} != set(given):
        pytest.fail(f"{texts} do not use just {given}")
    if reserved := {word for word in words if word.upper() in _RESERVED}:
        pytest.fail(f"{reserved} of {texts} are reserved words")


@cache
def condition(text: str) -> Test:
    """Return the condition *text*, to be asked of a scope."""
    reader = _Reader(text)
    test = reader.condition()
    if reader.next:
        reader.fail()
    return test


@cache
def update(text: str) -> list[Step]:
    """Return the steps of the update *text*; each reads the scope's item and changes the new one."""
    return _Reader(text).update()
