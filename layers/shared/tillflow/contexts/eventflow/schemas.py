"""Schemas of events from outside."""

from typing import Any

from tillflow.errors import Invalid


class SchemaViolation(Invalid):
    """The payload is not as its type's schema has it."""

    status = 400
    code = "SCHEMA_VIOLATION"


def check(event_type: str, event_version: int, payload: dict[str, Any], stamp: int) -> None:
    """Go on only with a payload as its type's schema has it."""
