"""Publish what rode on committed items: from a stream batch to the bus, every event at least once."""

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tillflow.errors import Unavailable
from tillflow.messaging.envelope import unpack
from tillflow.runtime import aws, backoff
from tillflow.runtime.config import setting
from tillflow.values import jsontext

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

# AWS limits of one PutEvents call.
_MAX_ENTRIES = 10
_MAX_BYTES = 256 * 1024
_ENTRY_OVERHEAD = 64


class NotPublished(Unavailable):
    """The bus did not take every event: the whole batch comes again (consumers tell repeated events apart)."""


def publish(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Publish the events of DynamoDB stream *records* in order; return their envelopes.

    Raises:
        NotPublished: some are left after the retries.
    """
    entries = [entry for record in records for entry in _entries(record)]
    for batch in _batches(entries):
        _put(batch)
    return [jsontext.loads(entry["Detail"]) for entry in entries]


def _entries(record: dict[str, Any]) -> Iterator["PutEventsRequestEntryTypeDef"]:
    outbox = record["dynamodb"].get("NewImage", {}).get("outbox")
    if outbox is None:
        return
    for source, kind, detail in unpack(base64.b64decode(outbox["B"])):
        yield {
            "EventBusName": setting("EVENT_BUS"),
            "Source": source,
            "DetailType": kind,
            "Detail": detail,
        }


def _batches(entries: list["PutEventsRequestEntryTypeDef"]) -> Iterator[list["PutEventsRequestEntryTypeDef"]]:
    """Yield *entries* in runs that fit one call."""
    batch: list[PutEventsRequestEntryTypeDef] = []
    size = 0
    for entry in entries:
        weight = len(entry["Detail"].encode()) + len(entry["DetailType"]) + len(entry["Source"]) + _ENTRY_OVERHEAD
        if batch and (len(batch) == _MAX_ENTRIES or size + weight > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += weight
    if batch:
        yield batch


def _put(batch: list["PutEventsRequestEntryTypeDef"]) -> None:
    for _ in backoff.attempts(seconds=aws.LONGEST_CALL_SECONDS):
        answer = aws.client("events").put_events(Entries=batch)
        if not answer["FailedEntryCount"]:
            return
        batch = [entry for entry, result in zip(batch, answer["Entries"], strict=True) if "ErrorCode" in result]
    raise NotPublished(f"{len(batch)} events were not taken by the bus.")
