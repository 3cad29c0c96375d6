"""
What a flow may ask of the world, and what it is told.

A flow is a generator that decides and does nothing: it yields a `Request` or a `Pause`, and is sent the `Reply`. The sync and
the async half of this package perform them (`calling.py`, `calling_async.py`); what is decided is written once.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tillflow_client.errors import NoAnswer, TillflowError, refusal

T = TypeVar("T")

API = "/api/v1"
_REDIRECTS = 300


@dataclass(frozen=True)
class Request:
    """One HTTP request to a *path* below the API's URL; it may take *longer* than others by so many seconds."""

    method: str
    path: str
    body: bytes | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    longer: float = 0.0


@dataclass(frozen=True)
class Pause:
    """Nothing for so many *seconds*; one that is *breakable* ends at once when the consumer is told to stop."""

    seconds: float
    breakable: bool = False


@dataclass(frozen=True)
class Answer:
    """What the server answered; *headers* are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether it is a 2xx."""
        return self.status < _REDIRECTS

    def json(self) -> dict[str, Any]:
        """
        Return the body, a JSON object.

        Raises:
            ApiError: it is none: something between here and the server has answered in its place.
        """
        said = _object(self.body)
        if said is None:
            raise refusal(self.status, {"error_code": "NOT_JSON", "message": "the answer is no JSON object: is the URL right?"})
        return said


@dataclass(frozen=True)
class Silence:
    """No answer, and *why*."""

    why: str


Effect = Request | Pause
Reply = Answer | Silence | None
Flow = Generator[Effect, Reply, T]


def encoded(value: object) -> bytes:
    """
    Return *value* as JSON, in as few bytes as there may be.

    Raises:
        TypeError: JSON has nothing for it.
        ValueError: it is no number to JSON (NaN, infinity), or half a character.
    """
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def post(path: str, body: object, headers: Mapping[str, str] | None = None) -> Request:
    """Return a POST of *body* as JSON."""
    return Request("POST", path, encoded(body), headers=headers or {})


def failure(reply: Reply) -> TillflowError:
    """Return the error that a *reply* is which is no success."""
    if isinstance(reply, Answer):
        return refusal(reply.status, _object(reply.body) or {}, reply.headers.get("Retry-After", ""))
    return NoAnswer(reply.why if isinstance(reply, Silence) else "nobody asked")


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(body)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
