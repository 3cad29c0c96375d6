"""
Publish what rode on committed items: from a stream batch to the bus, every event at least once.

What fails because the bus is away waits: the whole batch comes again. What can never succeed steps aside, into the
dead letters, with what an operator needs to see it; nothing behind it waits.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tillflow.errors import Unavailable
from tillflow.messaging.envelope import NotAnEnvelope
from tillflow.messaging.letters import Record, set_aside
from tillflow.messaging.packing import Packed, unpack
from tillflow.runtime import aws, backoff
from tillflow.runtime.config import setting

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

# AWS limits of one PutEvents call.
_MAX_ENTRIES = 10
_MAX_BYTES = 256 * 1024
_ENTRY_OVERHEAD = 64
# What PutEvents says of an entry that it will never take (API reference, PutEventsResultEntry). Of the codes that it calls
# final, those of the account and its rights are left out: they are mended without the event.
_NEVER = {
    "InvalidArgument",
    "MalformedDetail",
    "NotAuthorizedForDetailTypeException",
    "NotAuthorizedForSourceException",
    "RedactionFailure",
}
# As much of an outbox as a dead letter holds beside the rest of it.
_MAX_LETTER_OUTBOX = 180_000


class NotPublished(Unavailable):
    """The bus did not take every event: the whole batch comes again (consumers tell repeated events apart)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """An event that waits for the bus, and the stream record that it came with."""

    event: Packed
    record: Record

    @property
    def size(self) -> int:
        return len(self.event.detail.encode()) + len(self.event.type) + len(self.event.source) + _ENTRY_OVERHEAD

    def entry(self) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": setting("EVENT_BUS"),
            "Source": self.event.source,
            "DetailType": self.event.type,
            "Detail": self.event.detail,
        }


def publish(records: list[Record]) -> list[dict[str, Any]]:
    """
    Publish the events of DynamoDB stream *records* in order; return their envelopes.

    Raises:
        NotPublished: some are left after the retries.
    """
    waiting: list[_Waiting] = []
    unreadable: list[tuple[Record, str]] = []
    for record in records:
        try:
            waiting += [_Waiting(event, record) for event in _events(record)]
        except NotAnEnvelope as error:
            unreadable.append((record, error.message))
    refused = [each for batch in _batches(waiting) for each in _put(batch)]
    # Last: should the queue be away, what could be published is.
    for record, reason in [*unreadable, *((each.record, reason) for each, reason in refused)]:
        _set_aside(record, reason)
    never = [each for each, _ in refused]
    return [each.event.envelope for each in waiting if each not in never]


def _events(record: Record) -> list[Packed]:
    outbox = record["dynamodb"].get("NewImage", {}).get("outbox", {})
    try:
        return unpack(base64.b64decode(outbox["B"], validate=True)) if outbox else []
    except (KeyError, binascii.Error) as error:
        raise NotAnEnvelope("The outbox is not binary.") from error


def _batches(waiting: list[_Waiting]) -> Iterator[list[_Waiting]]:
    """Yield what is *waiting* in runs that fit one call."""
    batch: list[_Waiting] = []
    size = 0
    for each in waiting:
        if batch and (len(batch) == _MAX_ENTRIES or size + each.size > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.size
    if batch:
        yield batch


def _put(batch: list[_Waiting]) -> Iterator[tuple[_Waiting, str]]:
    """Publish *batch*; yield what the bus will never take, and its word for why."""
    for _ in backoff.attempts(seconds=aws.LONGEST_CALL_SECONDS):
        answer = aws.client("events").put_events(Entries=[each.entry() for each in batch])
        if not answer["FailedEntryCount"]:
            return
        results = zip(batch, answer["Entries"], strict=True)
        failed = [(each, result["ErrorCode"]) for each, result in results if "ErrorCode" in result]
        yield from ((each, f"The bus refuses {each.event.type}: {code}.") for each, code in failed if code in _NEVER)
        batch = [each for each, code in failed if code not in _NEVER]
        if not batch:
            return
    raise NotPublished(f"{len(batch)} events were not taken by the bus.")


def _set_aside(record: Record, reason: str) -> None:
    """Send a record that can never be published to the dead letters, with its outbox."""
    outbox = str(record["dynamodb"]["NewImage"]["outbox"].get("B"))
    shown = outbox if len(outbox) <= _MAX_LETTER_OUTBOX else f"{len(outbox):,} characters: read the stream or the item"
    set_aside(setting("PUBLISH_DEAD_LETTERS_URL"), record, reason, outbox=shown)
