"""The tables' streams to the bus: publish the events that rode on committed items."""

from typing import Any

from tillflow import clock, metrics
from tillflow.deadline import LambdaContext
from tillflow.invocation import begin, logger
from tillflow.outbox.service import publish


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Publish a batch. What is not published raises, and the whole batch comes again."""
    begin(context)
    published = publish(event["Records"])
    if published:
        oldest = min(clock.parse(envelope["occurred_at"]) for envelope in published)
        metrics.milliseconds("PublishLag", (clock.now() - oldest).total_seconds() * 1000)
    logger.info("published", extra={"trace_ids": [envelope["trace_id"] for envelope in published]})
