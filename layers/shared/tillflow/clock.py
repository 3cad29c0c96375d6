"""Time, in one place, so that rules never read it and tests can set it."""

import time as _time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, UTC, timezone-aware."""
    return datetime.now(UTC)


def epoch(moment: datetime) -> int:
    """Return *moment* as whole seconds since 1970 (what DynamoDB's TTL and tokens count in)."""
    return int(moment.timestamp())


def iso(moment: datetime) -> str:
    """Return *moment* as ISO 8601 in UTC with milliseconds and `Z`: sorts as text, as the contracts show it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse(text: str) -> datetime:
    """
    Return the moment that ISO 8601 *text* names; a time without an offset is taken as UTC.

    Raises:
        ValueError: *text* is not ISO 8601.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


sleep = _time.sleep
monotonic = _time.monotonic
