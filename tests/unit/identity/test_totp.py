"""One-time passwords: the RFCs' own vectors, and that a step is good once."""

import base64
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillflow.contexts.identity import totp

RFC_SECRET = b"12345678901234567890"
NOW = 1_700_000_015


@pytest.mark.parametrize(
    ("counter", "password"),
    enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]),
)
def test_hotp_is_rfc_4226_s(counter: int, password: str) -> None:
    assert totp.hotp(RFC_SECRET, counter) == password


@pytest.mark.parametrize(
    ("seconds", "password"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_totp_is_rfc_6238_s(seconds: int, password: str) -> None:
    """The RFC has eight digits: the last six are what six would be."""
    step = totp.matching_step(RFC_SECRET, password[2:], seconds)

    assert step == seconds // 30


@pytest.mark.parametrize(("apart", "is_good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_step_before_and_after_is_good_and_no_other(apart: int, *, is_good: bool) -> None:
    step = totp.step_of(NOW) + apart

    assert totp.matching_step(RFC_SECRET, totp.hotp(RFC_SECRET, step), NOW) == (step if is_good else None)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12))
def test_no_step_is_good_twice_nor_one_before_it(apart: list[int]) -> None:
    last, used = -1, list[int]()
    for each in apart:
        step = totp.matching_step(RFC_SECRET, totp.hotp(RFC_SECRET, totp.step_of(NOW) + each), NOW, after=last)
        if step is not None:
            used.append(step)
            last = step

    assert used == sorted(set(used))


@pytest.mark.parametrize("code", ["", "0", "00000", "0000000", "\u0660" * 6, "\ud800", "9" * 10_000, "-00001"], ids=ascii)
def test_anything_else_is_no_password(code: str) -> None:
    assert totp.matching_step(RFC_SECRET, code, NOW) is None


def test_what_an_app_reads_says_all_that_it_must_know() -> None:
    read = urlsplit(totp.uri(RFC_SECRET, "ada+till@example.com"))

    assert (read.scheme, read.netloc, unquote(read.path)) == ("otpauth", "totp", "/Tillflow:ada+till@example.com")
    assert base64.b32decode(parse_qs(read.query)["secret"][0]) == RFC_SECRET
    told = {name: value for name, (value,) in parse_qs(read.query).items() if name != "secret"}
    assert told == {"issuer": "Tillflow", "algorithm": "SHA1", "digits": "6", "period": "30"}
