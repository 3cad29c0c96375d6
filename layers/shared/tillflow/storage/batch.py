"""
Writes of what follows from something else and may be written again: in batches, each item for itself, without a condition.

A decision's own writes go through `commit.py`.
"""

from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Any

from tillflow.errors import Unavailable
from tillflow.runtime import aws, backoff, faults
from tillflow.storage.attributes import Item, to_item
from tillflow.storage.tables import Key

_BATCH = 25  # DynamoDB's limit of one BatchWriteItem


def put(table: str, items: Iterable[Item]) -> None:
    """
    Write *items* (with different keys): one write unit per KB of each.

    Raises:
        Unavailable: DynamoDB did not take them all in time; the same may be written again.
    """
    _write(table, [{"PutRequest": {"Item": to_item(item)}} for item in items])


def delete(table: str, keys: Iterable[Key]) -> None:
    """Delete what is under *keys* (different ones), if it is there; else as `put`."""
    _write(table, [{"DeleteRequest": {"Key": to_item(key)}} for key in keys])


def _write(table: str, requests: Sequence[Any]) -> None:
    for each in batched(requests, _BATCH, strict=False):
        left: Any = {table: list(each)}
        for _ in backoff.attempts(seconds=aws.LONGEST_CALL_SECONDS):
            with faults.unavailable("database"):
                left = aws.client("dynamodb").batch_write_item(RequestItems=left)["UnprocessedItems"]
            if not left:
                break
        else:
            raise Unavailable("The database is busy. Try again.")
