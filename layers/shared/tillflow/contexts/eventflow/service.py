"""The event log: every event that was on the bus, once."""

from contextlib import suppress
from typing import Any

from tillflow.contexts.eventflow import tables
from tillflow.runtime import aws
from tillflow.storage.attributes import to_item
from tillflow.values import jsontext


def record(envelope: dict[str, Any]) -> None:
    """Keep one event, as it came first: its key is its own, so that it is not kept again, nor replaced."""
    item = tables.event_log_key(envelope["trace_id"], envelope["occurred_at"], envelope["event_id"]) | {
        "event_id": envelope["event_id"],
        "event_type": envelope["event_type"],
        "occurred_at": envelope["occurred_at"],
        "trace_id": envelope["trace_id"],
        "envelope": jsontext.dumps(envelope),
    }
    client = aws.client("dynamodb")
    with suppress(client.exceptions.ConditionalCheckFailedException):
        client.put_item(TableName=tables.event_log(), Item=to_item(item), ConditionExpression="attribute_not_exists(pk)")
