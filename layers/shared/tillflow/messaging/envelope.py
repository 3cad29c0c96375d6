"""
The event envelope, version 1 (contract: event-contracts.md).

    {"event_id", "event_type", "occurred_at", "trace_id", "identity": {"user_id", "roles"}, "data", "version"}

On the bus: `detail-type` is the event type, `source` is `tillflow.<context>`, `detail` is the envelope.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tillflow.errors import Invalid
from tillflow.values import clock, ids

VERSION = 1
_MAX_ROLES = 16

TYPE = re.compile(r"[A-Za-z0-9._-]{1,128}")
# The contract's form, and ours with a fraction: what sorts as text.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
# As a token has it at most (no control characters, no halves of characters).
_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,128}")


class NotAnEnvelope(Invalid):
    """It is no event of version 1: what it says must not decide anything."""

    code = "NOT_AN_ENVELOPE"
    title = "Not an event envelope"


@dataclass(frozen=True, slots=True)
class Cause:
    """
    Why something happens: on whose behalf, as part of which trace, and when (*since* when, if something began it).

    *name* is what the user is called, where that is known; it is in no event.
    """

    user_id: str
    roles: tuple[str, ...]
    trace_id: str
    at: datetime = field(default_factory=lambda: clock.now())  # noqa: PLW0108 - not clock.now itself, which tests set
    since: datetime = field(default_factory=lambda: clock.now())  # noqa: PLW0108
    name: str | None = None

    @staticmethod
    def of_envelope(envelope: Mapping[str, Any]) -> "Cause":
        """Return the cause that goes on from a checked *envelope*: same person, same trace, now."""
        identity = envelope["identity"]
        since = clock.parse(envelope["occurred_at"])
        return Cause(identity["user_id"], tuple(identity["roles"]), envelope["trace_id"], since=since)


@dataclass(frozen=True, slots=True)
class Event:
    """One event to publish: its *source* context, *type*, and *data* as the contract shapes it."""

    source: str
    type: str
    data: Mapping[str, Any]


def seal(event: Event, cause: Cause) -> dict[str, Any]:
    """Return *event* in its envelope, with an id of its own."""
    return {
        "event_id": ids.new(),
        "event_type": event.type,
        "occurred_at": clock.iso(cause.at),
        "trace_id": cause.trace_id,
        "identity": {"user_id": cause.user_id, "roles": list(cause.roles)},
        "data": dict(event.data),
        "version": VERSION,
    }


def check(envelope: object) -> dict[str, Any]:
    """
    Return *envelope*, whoever sent it, if it is one: with the contract's fields and types, nothing longer than ours.

    Raises:
        NotAnEnvelope: the message names the fields that are not so.
    """
    if not isinstance(envelope, dict):
        raise NotAnEnvelope("An event is a JSON object.")
    wrong = [name for name, is_right in _FIELDS.items() if not is_right(envelope.get(name))]
    if wrong:
        raise NotAnEnvelope(f"Not as the contract has it (docs/events.md): {', '.join(wrong)}.")
    return envelope


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(_MOMENT.fullmatch(value) and clock.parse(value))
    except ValueError:
        return False


def _is_identity(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    roles = value.get("roles")
    return _is_name(value.get("user_id")) and isinstance(roles, list) and len(roles) <= _MAX_ROLES and all(map(_is_name, roles))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(_NAME.fullmatch(value))


def _is_uuid(value: object) -> bool:
    return isinstance(value, str) and ids.is_uuid(value)


_FIELDS: dict[str, Callable[[object], bool]] = {
    "event_id": _is_uuid,
    "event_type": lambda value: isinstance(value, str) and bool(TYPE.fullmatch(value)),
    "occurred_at": _is_moment,
    "trace_id": _is_uuid,
    "identity": _is_identity,
    "data": lambda value: isinstance(value, dict),
    "version": lambda value: type(value) is int and value == VERSION,  # True == 1
}
