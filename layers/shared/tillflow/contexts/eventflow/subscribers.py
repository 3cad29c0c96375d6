"""Whom events are sent to, as a router knows it: read again when the registry has changed, and only then."""

from tillflow.contexts.eventflow import registry, tables
from tillflow.contexts.eventflow.registry import LIVE, Consumer
from tillflow.storage import database

# What this process read last: the number of changes, and whom events are sent to.
_known: list[tuple[int, tuple[Consumer, ...]]] = []


def now() -> tuple[Consumer, ...]:
    """
    Return the consumers that events are sent to, as of now (one read unit; all are read again where one has changed).

    Raises:
        Unavailable: the database does not answer.
    """
    found = database.get(tables.eventflow(), tables.consumers_version_key())
    version = (found or {}).get("version", 0)
    if not _known or _known[0][0] != version:
        # Read after the number: what has changed in between is in there, and read again next time.
        live = tuple(each for each in registry.everyone() if each.status in LIVE)
        _known[:] = [(version, live)]
    return _known[0][1]


def forget() -> None:
    """Drop what is kept (tests)."""
    _known.clear()
