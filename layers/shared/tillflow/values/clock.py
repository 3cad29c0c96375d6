"""Time, in one place, so that rules never read it and tests can set it."""

import time as _time
from datetime import UTC, datetime

# The ends of time as `iso` writes it: DynamoDB's BETWEEN wants both.
EARLIEST = "0001-01-01T00:00:00.000Z"
LATEST = "9999-12-31T23:59:59.999Z"

NO_MOMENT = "this is no moment in ISO 8601, e.g. 2026-01-31T12:00:00Z"


def now() -> datetime:
    """Return the present moment, UTC, timezone-aware."""
    return datetime.now(UTC)


def epoch(moment: datetime) -> int:
    """Return *moment* as whole seconds since 1970 (what DynamoDB's TTL and tokens count in)."""
    return int(moment.timestamp())


def milliseconds(moment: datetime) -> int:
    """Return *moment* as whole milliseconds since 1970 (what API Gateway counts in)."""
    return int(moment.timestamp() * 1000)


def from_milliseconds(milliseconds: int) -> datetime:
    """Return the moment so many milliseconds after 1970, UTC."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)


def iso(moment: datetime) -> str:
    """Return *moment* as ISO 8601 in UTC with milliseconds and `Z`: sorts as text, as the contracts show it."""
    # Not strftime: its %Y writes the year 500 as "500", which does not sort.
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse(text: str) -> datetime:
    """
    Return the moment that ISO 8601 *text* names, in UTC; a time without an offset is taken as UTC.

    Raises:
        ValueError: *text* is not ISO 8601, or names a moment that UTC has no year for.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(NO_MOMENT) from None  # Python's own words repeat the text, however long
    return utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def utc(moment: datetime) -> datetime:
    """
    Return *moment* in UTC.

    Raises:
        ValueError: it is then before year 1 or after year 9999, e.g. `0001-01-01T00:00:00+01:00`.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the moment lies outside the years 1 to 9999 of UTC") from error


sleep = _time.sleep
monotonic = _time.monotonic
