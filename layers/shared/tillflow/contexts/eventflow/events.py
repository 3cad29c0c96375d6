"""The events that EventFlow itself causes."""

from tillflow.messaging.envelope import Event

SOURCE = "tillflow.eventflow"
SCHEMA_OVERRIDDEN = "eventflow.schema_overridden.v1"


def schema_overridden(event_type: str, version: int, breaks: list[int], reason: str, user_id: str) -> Event:
    """Return `eventflow.schema_overridden.v1`: a schema was registered that readers of earlier versions may not understand."""
    data = {
        "registered_type": event_type,
        "registered_version": version,
        "breaks": breaks,
        "reason": reason,
        "user_id": user_id,
    }
    return Event(SOURCE, SCHEMA_OVERRIDDEN, data)
