"""What can never be done with a stream record steps aside: a dead letter says what an operator needs to find the item."""

from typing import Any

from tillflow.runtime import aws
from tillflow.runtime.invocation import logger
from tillflow.values import jsontext

type Record = dict[str, Any]


def set_aside(queue_url: str, record: Record, reason: str, **more: str) -> None:
    """Send to a queue of dead letters why a DynamoDB stream *record* is there, its item's key, and *more*."""
    change = record["dynamodb"]
    letter = {
        "reason": reason,
        "stream": record.get("eventSourceARN"),
        "event_id": record.get("eventID"),
        "sequence_number": change.get("SequenceNumber"),
        "key": change.get("Keys"),
        **more,
    }
    logger.error("set aside", extra={"reason": reason, "key": letter["key"]})
    aws.client("sqs").send_message(QueueUrl=queue_url, MessageBody=jsontext.dumps(letter))
