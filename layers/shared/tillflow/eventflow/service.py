"""The event log: every event that was on the bus, once."""

from typing import Any

from tillflow import aws, jsontext, tables
from tillflow.attributes import to_item


def record(envelope: dict[str, Any]) -> None:
    """Keep one event. Its key is its own, so that keeping it again changes nothing."""
    item = tables.event_log_key(envelope["trace_id"], envelope["occurred_at"], envelope["event_id"]) | {
        "event_id": envelope["event_id"],
        "event_type": envelope["event_type"],
        "occurred_at": envelope["occurred_at"],
        "trace_id": envelope["trace_id"],
        "envelope": jsontext.dumps(envelope),
    }
    aws.client("dynamodb").put_item(TableName=tables.event_log(), Item=to_item(item))
