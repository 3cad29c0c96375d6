"""
Registering schemas of event types: version by version, each so that whoever reads the earlier ones can read it.

An administrator may register one that is not shown to be so, and says why: an event tells of it.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from tillflow.contexts.eventflow import bounds, compat, events, schemas, tables
from tillflow.contexts.eventflow.fitting import Fitting
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.contexts.eventflow.rules import check_type
from tillflow.contexts.eventflow.schemas import Schema
from tillflow.errors import Conflict, NotFound
from tillflow.messaging.envelope import Cause
from tillflow.storage import database
from tillflow.storage.again import Moved, again
from tillflow.storage.commit import Commit, absent, always
from tillflow.storage.idempotency import Reply
from tillflow.values import clock, jsontext
from tillflow.web import paging
from tillflow.web.paging import InvalidPlace

MAX_VERSIONS = 100
_BUSY = "This event type is being registered by others. Send the same request again."
# Of what types are made of, nothing sorts before this.
_BEFORE_ALL = " "
_LAST, _BEHIND_TYPES = "~", "{"


class SchemaIncompatible(Conflict):
    """Consumers of an earlier version cannot be shown to understand this one; *reasons* says which, and why."""

    code = "SCHEMA_INCOMPATIBLE"
    title = "Schema incompatible"


class VersionConflict(Conflict):
    """The version exists with another schema, or is not the next one."""

    code = "SCHEMA_VERSION_CONFLICT"
    title = "Schema version conflict"


class SchemaNotFound(NotFound):
    """The event type, or this version of it, is not registered."""

    code = "SCHEMA_NOT_FOUND"
    title = "Schema not found"


def register(event_type: str, version: int, schema: dict[str, Any], reason: str | None, cause: Cause) -> Reply:
    """
    Register the next version of a type (201); the same again changes nothing (200). With a *reason*, though it is incompatible.

    Raises:
        InvalidSchema: it is no schema, or none that events are checked by.
        ReservedEventType: the product's own types are registered by the deployment.
        VersionConflict: the version exists with another schema, or the one before it does not.
        SchemaIncompatible: earlier consumers may not understand it, and there is no reason to override that.
    """
    check_type(event_type)
    bounds.check(schema)
    Fitting(schema)
    wanted = Schema(event_type, version, jsontext.dumps(schema), clock.iso(cause.at), cause.user_id, reason)
    return again(lambda: _register(wanted, cause), _BUSY)


def show(event_type: str, version: int) -> dict[str, Any]:
    """
    Return a version of a type with its schema.

    Raises:
        SchemaNotFound: it is not registered.
    """
    found = schemas.find(event_type, version)
    if found is None:
        raise SchemaNotFound("This version of this event type is not registered.")
    return _present(found) | {"schema": found.schema}


def show_type(event_type: str) -> dict[str, Any]:
    """Return a type's versions, without their schemas; else as `show`."""
    found = schemas.versions(event_type)
    if not found:
        raise SchemaNotFound("This event type is not registered.")
    return {"event_type": event_type, "versions": list(map(_present, found))}


def page(wanted: ListQuery) -> dict[str, Any]:
    """
    Return a page of types by name, each with its newest version: `{items, next_token}`. A new one may take a moment to appear.

    Raises:
        InvalidPlace: the token is of another list.
    """
    of = (tables.TYPES,)
    after = paging.name_of(wanted.next_token, of, high=_BEHIND_TYPES, refusal=InvalidPlace) if wanted.next_token else ""
    bounds_of = (after + _BEFORE_ALL, _LAST)
    found = database.between(
        tables.eventflow(), tables.LISTED_INDEX, tables.LISTED_KEYS, tables.TYPES, bounds_of, Limit=wanted.limit + 1
    )
    entries = [tables.version_of(each) for each in islice(found, wanted.limit + 1)]
    shown, token = paging.cut(entries, wanted.limit, of, lambda each: each[0])
    return {"items": [{"event_type": event_type, "version": version} for event_type, version in shown], "next_token": token}


def publish(own: Mapping[str, dict[str, Any]], cause: Cause) -> int:
    """
    Register the product's own types as they are now, each as version 1; return how many are new or have changed.

    Within their version they only ever gain optional fields (`make docs` holds that), so version 1 is replaced.
    """
    changed = [
        Schema(event_type, 1, jsontext.dumps(schema), clock.iso(cause.at), cause.user_id) for event_type, schema in own.items()
    ]
    keys = [tables.schema_key(each.event_type, 1) for each in changed]
    known = {each.event_type: each.text for each in map(schemas.of_item, database.batch(tables.eventflow(), keys))}
    changed = [each for each in changed if known.get(each.event_type) != each.text]
    if changed:
        commit = Commit(cause)
        for each in changed:
            commit.put(tables.eventflow(), _listed(each), when=always(), otherwise=lambda _: None)
        _move_stamp(commit)
        commit.write()
    return len(changed)


def _register(wanted: Schema, cause: Cause) -> Reply:
    earlier = schemas.versions(wanted.event_type)
    for known in earlier:
        if known.version == wanted.version:
            return _again(known, wanted)
    _check_next(wanted, len(earlier) + 1)
    found = compat.incompatibilities(wanted.schema, [(each.version, each.schema) for each in earlier])
    breaks = [each.version for each in found]
    if found and wanted.reason is None:
        told = "; ".join(f"version {each.version}: {each.reason}" for each in found[:3])
        raise SchemaIncompatible(
            f"Consumers of earlier versions may not understand it. {told}. "
            "Change it, or send override=true and a reason, which is audited.",
            reasons=[{"version": each.version, "reason": each.reason} for each in found],
        )
    stored = Schema(
        wanted.event_type,
        wanted.version,
        wanted.text,
        wanted.created_at,
        wanted.created_by,
        wanted.reason if breaks else None,
        tuple(breaks),
    )
    commit = Commit(cause)
    commit.put(tables.eventflow(), _listed(stored), when=absent(), otherwise=lambda _: Moved())
    if earlier:
        # Only the newest is listed.
        before = tables.schema_key(wanted.event_type, wanted.version - 1)
        commit.update(tables.eventflow(), before, when=always(), otherwise=lambda _: None, remove=("listed", "listed_as"))
    _move_stamp(commit)
    if breaks and wanted.reason:
        commit.emit(events.schema_overridden(wanted.event_type, wanted.version, breaks, wanted.reason, cause.user_id))
    commit.write()
    return Reply(201, _present(stored) | {"schema": stored.schema})


def _again(known: Schema, wanted: Schema) -> Reply:
    if known.text != wanted.text:
        raise VersionConflict(
            f"Version {known.version} of {known.event_type} exists with another schema. Register the next version."
        )
    return Reply(200, _present(known) | {"schema": known.schema})


def _check_next(wanted: Schema, following: int) -> None:
    if wanted.version != following:
        raise VersionConflict(f"The next version of {wanted.event_type} is {following}.")
    if following > MAX_VERSIONS:
        raise VersionConflict(f"An event type has {MAX_VERSIONS} versions at most. Give the event a new type.")


def _listed(schema: Schema) -> dict[str, Any]:
    return schemas.item_of(schema) | {"listed": tables.TYPES, "listed_as": schema.event_type}


def _move_stamp(commit: Commit) -> None:
    commit.update(tables.eventflow(), tables.stamp_key(), when=always(), otherwise=lambda _: None, add={"stamp": 1})


def _present(schema: Schema) -> dict[str, Any]:
    override = {"reason": schema.reason, "breaks": list(schema.breaks)} if schema.reason else None
    return {
        "event_type": schema.event_type,
        "version": schema.version,
        "created_at": schema.created_at,
        "created_by": schema.created_by,
        "override": override,
    }
