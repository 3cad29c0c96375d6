"""Base64 without padding, as RFC 7515 shows it."""

import pytest

from tillflow.values import base64url


def test_it_is_as_the_rfc_has_it() -> None:
    raw = bytes([3, 236, 255, 224, 193])  # RFC 7515, appendix C
    assert base64url.encode(raw) == "A-z_4ME"
    assert base64url.decode("A-z_4ME") == raw


@pytest.mark.parametrize("length", range(5))
def test_what_was_encoded_is_decoded(length: int) -> None:
    raw = b"\xff" * length
    assert base64url.decode(base64url.encode(raw)) == raw


@pytest.mark.parametrize("text", ["A", "\ud800", "é"])
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        base64url.decode(text)
