"""
The consumers' queues: one in SQS for each, of pointers to events (pointers.py). What is asked of a queue is asked here.

A message is leased with a receipt, and comes again when the lease is over; after ten deliveries it goes to the dead letters.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from typing import Any, Protocol
from uuid import UUID

from tillflow.contexts.eventflow import pointers
from tillflow.contexts.eventflow.pointers import Pointer
from tillflow.errors import Unavailable
from tillflow.runtime import aws, faults
from tillflow.runtime.config import setting
from tillflow.runtime.invocation import logger
from tillflow.values import clock

# SQS' limits: of one batch, of a message's whole time with one reader, of a queue's memory, and of its name.
BATCH = 10
LONGEST_LEASE_SECONDS = 43_200
RETENTION_SECONDS = 1_209_600
MAX_DELIVERIES = 10
LONGEST_NAME = 80
# A poll must be answered before botocore gives the call up.
_LONGEST_POLL_SECONDS = 2
# A queue's metrics come within minutes.
_MEASURED_SECONDS = 600

type Results = list[str | None]


class QueueGone(Exception):
    """The consumer's queue is not there: somebody deleted it, or it was not made yet."""


class Owner(Protocol):
    """Whose a queue is."""

    @property
    def consumer_id(self) -> str:
        """The consumer's id."""

    @property
    def queue_url(self) -> str:
        """Where its queue is."""


@dataclass(frozen=True, slots=True)
class Message:
    """A leased message: what it points to, the *receipt* of this lease, and how often it was delivered with this time."""

    pointer: Pointer
    receipt: str
    deliveries: int


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages wait, and how many are leased."""

    waiting: int
    leased: int


EMPTY = Depth(0, 0)


def name_of(consumer_id: str) -> str:
    """Return the name of a consumer's queue."""
    return f"{setting('CONSUMER_QUEUES')}{UUID(consumer_id).hex}"


def send(consumer: Owner, wanted: Sequence[Pointer]) -> list[Pointer]:
    """
    Send pointers to a consumer's queue, and return those that it did not take (or may not have): they may be sent again.

    Raises:
        QueueGone: there is no such queue.
    """
    entries = [pointers.entry(consumer.consumer_id, each) for each in wanted]
    results = _in_batches(aws.client("sqs").send_message_batch, consumer.queue_url, entries)
    return [pointer for pointer, failure in zip(wanted, results, strict=True) if failure is not None]


def receive(consumer: Owner, most: int, *, lease_seconds: int, wait_seconds: int) -> list[Message]:
    """
    Lease up to *most* messages (ten at most) for so many seconds; wait for a first one no longer than *wait_seconds*.

    What is no pointer is left where it is: its deliveries take it to the dead letters.

    Raises:
        QueueGone: there is no such queue.
        Unavailable: SQS does not answer. What it may have leased comes again.
    """
    with faults.unavailable("queue service"), _there():
        answer = aws.client("sqs").receive_message(
            QueueUrl=consumer.queue_url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=lease_seconds,
            WaitTimeSeconds=min(wait_seconds, _LONGEST_POLL_SECONDS),
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
    return list(_leased(consumer, answer.get("Messages", ())))


def acknowledge(consumer: Owner, receipts: Sequence[str]) -> Results:
    """
    Delete what these receipts are of; return for each None, or what kept SQS from it ("" where nobody knows).

    SQS calls it done also for a receipt whose lease is over, and may not have done it then.

    Raises:
        QueueGone: there is no such queue.
    """
    entries = [{"ReceiptHandle": receipt} for receipt in receipts]
    return _in_batches(aws.client("sqs").delete_message_batch, consumer.queue_url, entries)


def extend(consumer: Owner, receipts: Sequence[tuple[str, int]]) -> Results:
    """Let each lease end so many seconds from now, 0: at once; else as `acknowledge`. A lease that is over stays so."""
    entries = [{"ReceiptHandle": receipt, "VisibilityTimeout": seconds} for receipt, seconds in receipts]
    return _in_batches(aws.client("sqs").change_message_visibility_batch, consumer.queue_url, entries)


def depth(consumer: Owner) -> Depth:
    """
    Return about how many messages there are.

    Raises:
        QueueGone: there is no such queue.
        Unavailable: SQS does not answer.
    """
    with faults.unavailable("queue service"), _there():
        told = aws.client("sqs").get_queue_attributes(
            QueueUrl=consumer.queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
    return Depth(int(told["ApproximateNumberOfMessages"]), int(told["ApproximateNumberOfMessagesNotVisible"]))


def oldest_age(consumer: Owner) -> int | None:
    """Return for how many seconds the oldest message has waited, as CloudWatch has it of the last minutes; None: it does not."""
    now = clock.now()
    try:
        with faults.unavailable("metrics"):
            points = aws.client("cloudwatch").get_metric_statistics(
                Namespace="AWS/SQS",
                MetricName="ApproximateAgeOfOldestMessage",
                Dimensions=[{"Name": "QueueName", "Value": name_of(consumer.consumer_id)}],
                StartTime=now - timedelta(seconds=_MEASURED_SECONDS),
                EndTime=now,
                Period=60,
                Statistics=["Maximum"],
            )["Datapoints"]
    except Unavailable:
        return None
    return int(max(points, key=lambda point: point["Timestamp"])["Maximum"]) if points else None


def _leased(consumer: Owner, messages: Sequence[Any]) -> Iterator[Message]:
    for message in messages:
        match pointers.read(message["Body"]):
            case (consumer.consumer_id, pointer):
                yield Message(pointer, message["ReceiptHandle"], int(message["Attributes"]["ApproximateReceiveCount"]))
            case _:
                logger.error("no pointer of this consumer's", extra={"consumer_id": consumer.consumer_id})


def _in_batches(call: Callable[..., Any], url: str, entries: Sequence[dict[str, Any]]) -> Results:
    """Return what became of each entry: None, or the code of its failure. Where SQS does not answer, the rest are not tried."""
    results: Results = [""] * len(entries)
    for batch in batched(enumerate(entries), BATCH, strict=False):
        try:
            with faults.unavailable("queue service"), _there():
                answer = call(QueueUrl=url, Entries=[{"Id": str(number), **entry} for number, entry in batch])
        except Unavailable:
            break
        # Before some codes stands `AWS.SimpleQueueService.`
        failed = {int(each["Id"]): each["Code"].rpartition(".")[2] for each in answer.get("Failed", ())}
        for number, _ in batch:
            results[number] = failed.get(number)
    return results


@contextmanager
def _there() -> Iterator[None]:
    try:
        yield
    except aws.client("sqs").exceptions.QueueDoesNotExist as error:
        raise QueueGone from error
