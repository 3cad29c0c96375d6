"""JSON between our own parts; what a client sends is read by `http.py`."""

import json
import re
from decimal import Decimal
from uuid import uuid4

# The C encoder knows no Decimal. Each one leaves as a string under a mark nobody can guess, and loses its quotes after.
_MARK = uuid4().hex
_MARKED = re.compile(rf'"{_MARK}(-?[0-9.]+)"')


def _encode(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value:f}"
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def dumps(value: object) -> str:
    """Return *value* as compact JSON; a `Decimal` becomes the number it is, digit for digit."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_encode)
    return _MARKED.sub(r"\1", text)


loads = json.loads
