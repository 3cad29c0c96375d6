"""The event log: every event of our own that was on the bus, once."""

from contextlib import suppress
from typing import Any

from tillflow.contexts.eventflow import events, tables
from tillflow.runtime import aws
from tillflow.storage.attributes import to_item
from tillflow.values import clock


def record(envelope: dict[str, Any]) -> None:
    """Keep one event, as it came first: its key is its own, so that it is not kept again, nor replaced."""
    item = events.from_bus("tillflow", envelope, clock.iso(clock.now()))
    client = aws.client("dynamodb")
    with suppress(client.exceptions.ConditionalCheckFailedException):
        client.put_item(TableName=tables.events(), Item=to_item(item), ConditionExpression="attribute_not_exists(pk)")
