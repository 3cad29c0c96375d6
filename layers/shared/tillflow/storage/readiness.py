"""
Whether the tables answer (GET /readyz): a read of each, no more often than every few seconds.

A read, not DescribeTable: orders go on where DynamoDB's control plane does not answer, and its calls are limited for the
whole account.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from tillflow.errors import Unavailable
from tillflow.runtime import aws, deadline
from tillflow.storage import database
from tillflow.storage.tables import Key
from tillflow.values import clock

_KEPT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class _Kept:
    at: float
    answers: dict[str, bool]


_cache: list[_Kept] = []


def check(needed: Mapping[str, tuple[str, Key]]) -> dict[str, bool]:
    """
    Return which of the *needed* tables answered, no longer than five seconds ago.

    Each has a name, and a key that is read; nothing need be there. Anybody may ask: most answers are this process' last.
    """
    if not _cache or clock.monotonic() >= _cache[0].at + _KEPT_SECONDS:
        answers = {name: _answers(table, key) for name, (table, key) in needed.items()}
        _cache[:] = [_Kept(clock.monotonic(), answers)]
    return _cache[0].answers


def _answers(table: str, key: Key) -> bool:
    if deadline.remaining() < aws.LONGEST_CALL_SECONDS:
        return False  # The ones before took all the time there was.
    try:
        database.get(table, key)
    except (Unavailable, ClientError):
        return False
    return True


def forget() -> None:
    """Drop what is kept (tests)."""
    _cache.clear()
