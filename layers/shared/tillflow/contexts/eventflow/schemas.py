"""
Schemas of event types: each version of one is a JSON Schema (2020-12) that the payloads of its events fit.

Only events of a type that has any are checked. What a process knows of a type, and that it is not registered, holds as long as
the stamp has not moved, which every change of a schema moves and the authorizer reads with each request.
"""

import zlib
from dataclasses import dataclass
from typing import Any

from tillflow.contexts.eventflow import tables
from tillflow.contexts.eventflow.fitting import Fitting
from tillflow.errors import Invalid
from tillflow.storage import database
from tillflow.storage.attributes import Item
from tillflow.values import jsontext

# Producers choose types: a process does not keep them all.
_MOST_KEPT = 1_000


class SchemaViolation(Invalid):
    """The payload does not fit the schema of its type and version."""

    status = 400
    code = "SCHEMA_VIOLATION"
    title = "Schema violation"


class UnknownEventVersion(Invalid):
    """The type is registered, and this version of it is not."""

    status = 400
    code = "UNKNOWN_EVENT_VERSION"
    title = "Unknown event version"


@dataclass(frozen=True, slots=True)
class Schema:
    """A version of a type, since *created_at* (ISO 8601). *reason*: why, though it *breaks* readers of those versions."""

    event_type: str
    version: int
    text: str
    created_at: str
    created_by: str
    reason: str | None = None
    breaks: tuple[int, ...] = ()

    @property
    def schema(self) -> dict[str, Any]:
        """The schema itself."""
        found: dict[str, Any] = jsontext.loads(self.text)
        return found


class _Kept:
    """What this process knows as of a *stamp*: None where there is no such version, nor any other."""

    def __init__(self, stamp: int = 0) -> None:
        self.stamp = stamp
        self.known: dict[tuple[str, int], Fitting | UnknownEventVersion | None] = {}


_kept = _Kept()


def forget() -> None:
    """Begin as a new process (tests)."""
    global _kept  # noqa: PLW0603 - a Lambda's process keeps it
    _kept = _Kept()


def check(event_type: str, event_version: int, payload: dict[str, Any], stamp: int) -> None:
    """
    Go on only with a payload that fits what is registered of its type, if anything is; *stamp* 0: nothing is.

    Costs nothing but for the first event of a type and version since the stamp has moved: one read unit a 4 KB of its schema.

    Raises:
        SchemaViolation: it does not; the message names the place.
        UnknownEventVersion: the type is registered, and this version is not.
        Unavailable: the database does not answer.
    """
    global _kept  # noqa: PLW0603 - a Lambda's process keeps it
    if _kept.stamp != stamp or len(_kept.known) >= _MOST_KEPT:
        _kept = _Kept(stamp)
    if not stamp:
        return
    key = event_type, event_version
    if key not in _kept.known:
        _kept.known[key] = _look_up(event_type, event_version)
    match _kept.known[key]:
        case UnknownEventVersion() as unknown:
            raise UnknownEventVersion(unknown.message)
        case Fitting() as fitting if problem := fitting.problem(payload):
            raise SchemaViolation(f"{problem} (version {event_version} of {event_type})")


def versions(event_type: str) -> list[Schema]:
    """Return a type's schemas by version, none where it is not registered."""
    pk = tables.partition_of(tables.schema_key(event_type, 1))
    return [of_item(item) for item in database.partition(tables.eventflow(), pk)]


def find(event_type: str, version: int) -> Schema | None:
    """Return one version of a type's schema, if there is one."""
    item = database.get(tables.eventflow(), tables.schema_key(event_type, version))
    return of_item(item) if item else None


def item_of(schema: Schema) -> Item:
    """Return a schema as it is stored."""
    return tables.schema_key(schema.event_type, schema.version) | {
        "schema": zlib.compress(schema.text.encode()),
        "created_at": schema.created_at,
        "created_by": schema.created_by,
        "reason": schema.reason,
        "breaks": list(schema.breaks) or None,
    }


def of_item(item: Item) -> Schema:
    """Return the schema that an item is."""
    event_type, version = tables.version_of(item)
    text = zlib.decompress(item["schema"]).decode()
    breaks = tuple(item.get("breaks", ()))
    return Schema(event_type, version, text, item["created_at"], item["created_by"], item.get("reason"), breaks)


def _look_up(event_type: str, event_version: int) -> Fitting | UnknownEventVersion | None:
    if found := find(event_type, event_version):
        return Fitting(found.schema)
    there = [str(each.version) for each in versions(event_type)]
    if not there:
        return None
    message = f"event_version: {event_type} has no version {event_version}; registered: {', '.join(there)}."
    return UnknownEventVersion(message)
