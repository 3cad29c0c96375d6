"""Consumers' queues are deleted: one with its consumer, all with the stack."""

import re
from contextlib import suppress

from tillflow.contexts.eventflow import queues
from tillflow.runtime import aws, faults
from tillflow.runtime.config import setting

_PAGE = 1_000


def delete(consumer_id: str) -> None:
    """
    Delete a consumer's queue, with what is in it, if it is there.

    Raises:
        Unavailable: SQS does not answer.
    """
    client = aws.client("sqs")
    with faults.unavailable("queue service"), suppress(client.exceptions.QueueDoesNotExist):
        client.delete_queue(QueueUrl=client.get_queue_url(QueueName=queues.name_of(consumer_id))["QueueUrl"])


def delete_all() -> int:
    """Delete every consumer's queue, for the stack is deleted; return how many there were."""
    client, ours = aws.client("sqs"), re.compile(re.escape(setting("CONSUMER_QUEUES")) + "[0-9a-f]{32}")
    # SQS pages only for who says how large a page is.
    pages = client.get_paginator("list_queues").paginate(
        QueueNamePrefix=setting("CONSUMER_QUEUES"), PaginationConfig={"PageSize": _PAGE}
    )
    with faults.unavailable("queue service"):
        # Somebody may have given a queue of theirs such a name.
        urls = [url for page in pages for url in page.get("QueueUrls", ()) if ours.fullmatch(url.rpartition("/")[2])]
        for url in urls:
            # For a minute, SQS lists what it has deleted.
            with suppress(client.exceptions.QueueDoesNotExist):
                client.delete_queue(QueueUrl=url)
    return len(urls)
