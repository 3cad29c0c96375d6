"""
The event log in DynamoDB: keys and access patterns.

| table (env)     | pattern                          | key                                        | reads    | writes |
|-----------------|----------------------------------|--------------------------------------------|----------|--------|
| EVENT_LOG_TABLE | one trace's events in time order | TRACE#<trace id>, <occurred_at>#<event id> | 1 a 4 KB | 1 a KB |
"""

from tillflow.runtime.config import setting
from tillflow.storage.tables import Key


def event_log() -> str:
    """Return the name of the event log table."""
    return setting("EVENT_LOG_TABLE")


def event_log_key(trace_id: str, occurred_at: str, event_id: str) -> Key:
    """Return the key of an event in the log. The same event has the same key, so recording it twice changes nothing."""
    return {"pk": f"TRACE#{trace_id}", "sk": f"{occurred_at}#{event_id}"}
