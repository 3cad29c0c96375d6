"""JSON between our own parts; what a client sends is read by `request.py`."""

import json
import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

# The C encoder knows no Decimal. Each one leaves as a string under a mark nobody can guess, and loses its quotes after.
_MARK = uuid4().hex
_MARKED = re.compile(rf'"{_MARK}(-?[0-9.]+(?:E[+-]?[0-9]+)?)"')
# In JSON they stand nowhere but in a string, where their escapes mean the same.
_NO_CHARACTERS = {0xFFFE: r"\ufffe", 0xFFFF: r"\uffff"}


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)


def _encode(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value}"
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def dumps(value: object) -> str:
    """
    Return *value* as compact JSON that every carrier takes.

    It always is UTF-8: half of a character (a lone surrogate) leaves as its escape. So do the two that are none and that SQS
    refuses (SendMessage: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF).

    A `Decimal` becomes the number it is, digit for digit.
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_encode)
    text = _MARKED.sub(r"\1", text)
    # Most text is ASCII, and knows it.
    return text if text.isascii() else text.translate(_NO_CHARACTERS).encode("utf-8", "backslashreplace").decode()


def loads(text: str | bytes) -> Any:
    """
    Return what JSON *text* says; a number with a fraction is a `Decimal`, so that `dumps` writes it as it was.

    Raises:
        ValueError: it is no JSON, or has a number with more digits or a larger exponent than Python takes.
    """
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode())
    except ArithmeticError:
        raise ValueError("a number in it is larger, or nearer to zero, than any that is taken") from None
