"""Money, JSON, CSV, time, ids, attributes: small things that everything rests on."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import iso4217
import pytest
from pydantic import BaseModel, ValidationError

from tillflow.storage.attributes import from_item, to_attribute, to_item
from tillflow.values import clock, csvtext, ids, jsontext
from tillflow.values.money import MINOR_DIGITS, decimal_amount
from tillflow.web.validation import problems

# --- money --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor_units", "currency", "written"),
    [
        (1990, "USD", "19.90"),
        (0, "EUR", "0.00"),
        (1, "USD", "0.01"),
        (-250, "USD", "-2.50"),
        (1990, "JPY", "1990"),
        (1990, "KWD", "1.990"),
        (99_999_999_999_999, "USD", "999999999999.99"),
        (1990, "CLF", "0.1990"),
    ],
)
def test_an_amount_is_written_with_its_currency_s_digits(minor_units: int, currency: str, written: str) -> None:
    assert str(decimal_amount(minor_units, currency)) == written


def test_the_currencies_are_those_of_iso_4217_and_have_its_digits() -> None:
    """The library brings the list as it was published; a newer one fails here until money.py has it too."""
    published = {each.code: each.exponent for each in iso4217.Currency if each.exponent is not None}

    assert published == MINOR_DIGITS


def test_what_is_no_currency_has_no_amount() -> None:
    with pytest.raises(KeyError):
        decimal_amount(1, "ZZZ")


# --- JSON ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["19.90", "0.00", "-2.50", "1990", "12345678901234567890.12"])
def test_a_decimal_is_a_json_number_digit_for_digit(amount: str) -> None:
    assert jsontext.dumps({"price": Decimal(amount)}) == f'{{"price":{amount}}}'


@pytest.mark.parametrize("number", ["1.10", "-0.0", "1e400", "-1E-400", "0.1000000000000000055511151231257827"])
def test_a_number_is_written_as_it_was_read(number: str) -> None:
    written = jsontext.dumps(jsontext.loads(f"[{number}]"))

    assert json.loads(written, parse_float=Decimal) == [Decimal(number)]


def test_half_of_a_character_is_written_as_it_was_read() -> None:
    written = jsontext.dumps(jsontext.loads(b'{"\\ud800":"x\\udfff"}'))

    assert written.encode() == b'{"\\ud800":"x\\udfff"}'


def test_text_that_looks_like_a_number_stays_text() -> None:
    value = {"a": "19.90", "b": '"19.90"', "c": "\\", "d": "é🛒\u2028\x00"}

    assert json.loads(jsontext.dumps(value)) == value


def test_text_is_not_escaped_without_need() -> None:
    assert jsontext.dumps({"name": "São Paulo"}) == '{"name":"São Paulo"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_json_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        jsontext.dumps({"x": value})


@pytest.mark.parametrize("value", [b"x", {1}, datetime(2026, 1, 1, tzinfo=UTC)])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        jsontext.dumps({"x": value})


# --- CSV ----------------------------------------------------------------------------------------------------------

CELLS = ["plain", "", "a,b", 'say "hi"', "two\nlines", "two\r\nlines", " spaced ", "é🛒", "\x00", "'quoted'", "1e5"]


def test_rows_are_read_back_as_they_were() -> None:
    written = "".join(csvtext.rows(("a", "b"), [{"a": cell, "b": 5} for cell in CELLS]))

    assert list(csv.reader(io.StringIO(written, newline=""))) == [["a", "b"], *([cell, "5"] for cell in CELLS)]


def test_lines_end_as_rfc_4180_says() -> None:
    assert "".join(csvtext.rows(("a",), [{"a": 1}])) == "a\r\n1\r\n"


def test_without_rows_there_is_the_header() -> None:
    assert "".join(csvtext.rows(("a", "b"), [])) == "a,b\r\n"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ('=cmd|"/C calc"!A0', '\'=cmd|"/C calc"!A0'),
        ("\tx", "'\tx"),
        ("\r=1", "'\r'=1"),
        (" =1", "' =1"),
        ('"=1"', '\'"=1"'),
        ("＝1", "'＝1"),  # noqa: RUF001 - Excel takes it for a formula too
        ("'=1", "''=1"),
        ('a;=HYPERLINK("http://x")', 'a;\'=HYPERLINK("http://x")'),
        ("a\t-1", "a\t'-1"),
        ("a\n+1\r\n@x", "a\n'+1\r\n'@x"),
        ("a, =1", "a,' =1"),
        ('a;"=1"', 'a;\'"=1"'),
        ("a|;=1", "a|;'=1"),
        ("a-1 = b+c@d; e", "a-1 = b+c@d; e"),
        ("'quoted'; fine", "'quoted'; fine"),
    ],
)
def test_what_a_spreadsheet_would_run_is_text(cell: str, written: str) -> None:
    text = "".join(csvtext.rows(("a",), [{"a": cell}]))

    assert list(csv.reader(io.StringIO(text, newline="")))[1] == [written]


def test_a_number_is_no_formula() -> None:
    assert "".join(csvtext.rows(("a",), [{"a": -5}])) == "a\r\n-5\r\n"


# --- time ---------------------------------------------------------------------------------------------------------


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 2, 10, 14, 34, 56, 789_999, tzinfo=timezone(timedelta(hours=2)))

    assert clock.iso(moment) == "2026-02-10T12:34:56.789Z"


@pytest.mark.parametrize(
    "moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(500, 6, 1, tzinfo=UTC), datetime(2026, 2, 10, tzinfo=UTC)]
)
def test_written_moments_sort_as_text(moment: datetime) -> None:
    later = moment + timedelta(milliseconds=1)

    assert clock.EARLIEST <= clock.iso(moment) < clock.iso(later) < clock.LATEST
    assert clock.parse(clock.iso(later)) == later


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-02-10T12:34:56Z", datetime(2026, 2, 10, 12, 34, 56, tzinfo=UTC)),
        ("2026-02-10T12:34:56", datetime(2026, 2, 10, 12, 34, 56, tzinfo=UTC)),
        ("2026-02-10T14:34:56+02:00", datetime(2026, 2, 10, 12, 34, 56, tzinfo=UTC)),
        ("2026-02-10", datetime(2026, 2, 10, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_utc(text: str, moment: datetime) -> None:
    assert clock.parse(text) == moment
    assert clock.parse(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-02-30", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "\x00"]
)
def test_what_is_no_moment_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - pydantic turns any ValueError into its own
        clock.parse(text)

    assert not text or text not in str(refused.value)


# --- ids ----------------------------------------------------------------------------------------------------------


def test_a_derived_id_is_the_same_every_time_and_another_for_another() -> None:
    assert ids.derived("order", "a") == ids.derived("order", "a")
    assert len({ids.derived("order", "a"), ids.derived("order", "b"), ids.derived("payment", "a")}) == 3


def test_ids_are_uuids() -> None:
    assert ids.is_uuid(ids.new())
    assert ids.is_uuid(ids.derived("order", "a"))
    assert ids.is_uuid(ids.new().upper())


@pytest.mark.parametrize(
    "text", ["", "none", "{3f0c1c52-5b53-4a55-8a5e-0d6f5e2f9c11}", "3f0c1c525b534a558a5e0d6f5e2f9c11", "\ud800"]
)
def test_only_the_canonical_form_is_a_uuid(text: str) -> None:
    assert not ids.is_uuid(text)


# --- attributes ---------------------------------------------------------------------------------------------------


def test_what_is_stored_is_read_back() -> None:
    item = {"s": "é", "n": 10**30, "b": True, "raw": b"\x00\xff", "l": [1, "a", [False]], "m": {"x": {"y": 0}}, "e": ""}

    assert from_item(to_item(item)) == item


def test_a_boolean_is_no_number() -> None:
    assert to_attribute(True) == {"BOOL": True}
    assert to_attribute(1) == {"N": "1"}


def test_none_is_left_out() -> None:
    assert to_item({"a": None, "b": 1}) == {"b": {"N": "1"}}


@pytest.mark.parametrize("value", [1.5, None, {1}, Decimal("1.5")])
def test_what_is_not_stored_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="not stored"):
        to_attribute([value])


# --- words about bad input -----------------------------------------------------------------------------------------


class Model(BaseModel):
    a: int
    b: list[int]
    c: str
    d: str


def words(**values: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        Model.model_validate(values)
    return problems(refused.value)


def test_problems_name_the_fields() -> None:
    assert words(a="x", b=[1, "y"], c="c", d="d").startswith("a: Input should be a valid integer")
    assert "b.1: " in words(a=1, b=[1, "y"], c="c", d="d")


def test_problems_are_few() -> None:
    assert words().endswith("(and 1 more)")
    assert words().count(";") == 2


def test_problems_do_not_repeat_what_was_sent() -> None:
    assert "tok_secret" not in words(a="tok_secret", b="tok_secret", c=1, d=2)
