"""A consumer's queue is made: with what it remembers, and where its dead letters go."""

import re

from tillflow.contexts.eventflow import queues
from tillflow.runtime import aws, faults
from tillflow.runtime.config import setting
from tillflow.values import clock, jsontext

# "You must wait at least one second after the queue is created to be able to use it" (CreateQueue).
NEW_SECONDS = 1


def create(consumer_id: str, name: str) -> str:
    """
    Make a consumer's queue, or find it there, and return its URL; the consumer's *name* is on it for who looks at the account.

    Raises:
        Unavailable: SQS does not answer, or a queue of this name was deleted less than a minute ago.
    """
    attributes = {
        "MessageRetentionPeriod": str(queues.RETENTION_SECONDS),
        "RedrivePolicy": jsontext.dumps(
            {"deadLetterTargetArn": setting("CONSUMER_DEAD_LETTERS_ARN"), "maxReceiveCount": str(queues.MAX_DELIVERIES)}
        ),
        "SqsManagedSseEnabled": "true",
    }
    tags = {"tillflow": setting("POWERTOOLS_SERVICE_NAME"), "consumer": _tag(name)}
    with faults.unavailable("queue service"):
        made = aws.client("sqs").create_queue(QueueName=queues.name_of(consumer_id), Attributes=attributes, tags=tags)  # type: ignore[arg-type]
    clock.sleep(NEW_SECONDS)
    return made["QueueUrl"]


def _tag(name: str) -> str:
    """Return a *name* as a tag's value may be (letters, digits, spaces and a few signs)."""
    return re.sub(r"^aws:|[^\w .:/=+@-]", "_", name, flags=re.IGNORECASE)  # AWS keeps what begins so to itself
