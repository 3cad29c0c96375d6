"""What holds for every value: money is exact, fingerprints and signatures know no order, tokens say what they were told."""

import csv
import io
import json
import re
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tillflow.contexts.identity import rules as identity
from tillflow.contexts.identity.rules import Token
from tillflow.contexts.orders.rules import sign
from tillflow.messaging.envelope import Cause, Event
from tillflow.messaging.packing import pack, unpack
from tillflow.storage.attributes import from_item, to_item
from tillflow.storage.idempotency import Idempotency
from tillflow.values import csvtext, jsontext
from tillflow.values.money import decimal_amount

text = st.text(st.characters(exclude_categories=["Cs"]))
safe_integers = st.integers(-(2**53) + 1, 2**53 - 1)
scalars = st.none() | st.booleans() | safe_integers | st.floats(allow_nan=False, allow_infinity=False) | text
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=12
)
json_objects = st.dictionaries(text, json_values, max_size=6)
currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD"])


@st.composite
def shuffled(draw: st.DrawFn, value: Any) -> Any:
    """Draw *value* with the members of its objects in another order, at every depth."""
    if isinstance(value, list):
        return [draw(shuffled(member)) for member in value]
    if isinstance(value, dict):
        return {name: draw(shuffled(value[name])) for name in draw(st.permutations(list(value)))}
    return value


# --- money --------------------------------------------------------------------------------------------------------


@given(st.integers(-(10**15), 10**15), currencies)
def test_an_amount_goes_through_json_exactly(minor_units: int, currency: str) -> None:
    amount = decimal_amount(minor_units, currency)

    read = json.loads(jsontext.dumps({"price": amount}), parse_float=Decimal, parse_int=Decimal)["price"]

    assert read == amount
    assert int(read.scaleb(-int(amount.as_tuple().exponent))) == minor_units


@given(st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 10**9)), min_size=1, max_size=50), currencies)
def test_the_total_of_the_decimals_is_the_decimal_of_the_total(lines: list[tuple[int, int]], currency: str) -> None:
    total = sum(quantity * price for quantity, price in lines)

    assert sum(quantity * decimal_amount(price, currency) for quantity, price in lines) == decimal_amount(total, currency)


# --- JSON, items, events, CSV --------------------------------------------------------------------------------------


@given(json_objects)
def test_json_is_written_again_as_it_was_read(value: dict[str, Any]) -> None:
    # A float comes back as the Decimal that its text is; only written again are the two the same.
    again = jsontext.dumps(jsontext.loads(jsontext.dumps(value)))

    assert json.loads(again) == value
    assert not set(again) & {"\ufffe", "\uffff"}, "SQS refuses them"


stored = st.recursive(
    st.booleans() | st.integers(-(10**37), 10**37) | text | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(text, stored, max_size=6))
def test_an_item_is_read_back_as_it_was_stored(item: dict[str, Any]) -> None:
    assert from_item(to_item(item)) == item


@given(st.lists(json_objects, min_size=1, max_size=4), st.uuids().map(str))
def test_events_are_unpacked_as_they_were_packed(data: list[dict[str, Any]], trace_id: str) -> None:
    events = [Event("tillflow.orders", f"Event{n}", each) for n, each in enumerate(data)]

    unpacked = unpack(pack(events, Cause("user-1", (), trace_id)))

    assert [(event.source, event.type) for event in unpacked] == [(event.source, event.type) for event in events]
    assert [json.loads(event.detail)["data"] for event in unpacked] == data


FORMULA = ("=", "+", "-", "@")
# Texts that consist of what matters to a spreadsheet, and others.
cell_texts = st.text("=+-@;,|\t\r\n'\" ax") | text
tables = st.lists(st.tuples(cell_texts, cell_texts, st.integers(), cell_texts), max_size=5)


def as_csv(table: list[tuple[object, ...]]) -> str:
    return "".join(csvtext.rows("abcd", [dict(zip("abcd", row, strict=True)) for row in table]))


@given(tables)
def test_csv_is_read_back_by_who_knows_how_it_was_written(table: list[tuple[object, ...]]) -> None:
    def taken_back(cell: str) -> str:
        formula = r"""['"\s\x00\u200b\u2060\ufeff]*[=+\-@＝＋－＠]"""  # noqa: RUF001 - as the product has them
        return re.sub(rf"^'(?='*[\t\r\n])|(?:^|(?<=[;,|\t\n\r]))'(?={formula})", "", cell)

    _, *rows = csv.reader(io.StringIO(as_csv(table), newline=""))

    assert [(taken_back(a), taken_back(b), int(c), taken_back(d)) for a, b, c, d in rows] == table


@settings(max_examples=300)
@given(tables, st.sampled_from([",", ";", "\t", "|", "\0"]))
def test_no_cell_begins_as_a_formula_whatever_separates_them(table: list[tuple[object, ...]], separator: str) -> None:
    """NUL separates nothing: then each line is a cell."""
    written = as_csv(table)

    by_quotes = [cell for row in csv.reader(io.StringIO(written, newline=""), delimiter=separator) for cell in row]
    by_lines = [cell for each in re.split(r"[\r\n]", written) for cell in each.split(separator)]

    for cell in by_quotes + by_lines:
        is_number = re.fullmatch(r"-\d+", cell)
        assert is_number or not cell.lstrip().lstrip('" ').startswith(FORMULA), (cell, written)


# --- fingerprints and signatures ------------------------------------------------------------------------------------


@given(st.data(), json_objects)
def test_a_request_is_the_same_whatever_the_order_of_its_members(data: st.DataObject, body: dict[str, Any]) -> None:
    other = data.draw(shuffled(body))

    assert _fingerprint(body) == _fingerprint(other)


@given(json_objects, json_objects)
def test_requests_that_differ_have_different_fingerprints(one: dict[str, Any], other: dict[str, Any]) -> None:
    # As text: Python holds 1, 1.0 and true for equal, which they are not to a client.
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert (_fingerprint(one) == _fingerprint(other)) == same


def _fingerprint(body: dict[str, Any]) -> str:
    return Idempotency("op", "user-1", "k", body)._fingerprint  # noqa: SLF001 - the property is the point


@given(st.data(), json_objects)
def test_a_signature_is_the_same_whatever_the_order_of_the_members(data: st.DataObject, snapshot: dict[str, Any]) -> None:
    assert sign(data.draw(shuffled(snapshot)), b"secret") == sign(snapshot, b"secret")


# --- tokens -------------------------------------------------------------------------------------------------------

tokens = st.builds(Token, text, st.lists(text, max_size=4).map(tuple), st.integers(0, 2**40), st.integers(0, 2**40))


@given(tokens, st.binary(min_size=1), st.integers(0, 2**40))
def test_a_token_says_what_it_was_told_until_it_expires(token: Token, secret: bytes, now: int) -> None:
    read = identity.read(identity.issue(token, secret), secret, now)

    assert read == (token if now < token.expires_at else None)


@given(tokens, st.binary(min_size=1, max_size=64), st.binary(min_size=1, max_size=64))
def test_a_token_of_another_secret_says_nothing(token: Token, secret: bytes, other: bytes) -> None:
    # HMAC pads its key with zeros: keys that differ only in those are one.
    if secret.rstrip(b"\0") != other.rstrip(b"\0"):
        assert identity.read(identity.issue(token, secret), other, 0) is None


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_no_text_is_a_token_by_chance_and_none_makes_us_stumble(anything: str) -> None:
    assert identity.read(anything, b"secret", 0) is None
