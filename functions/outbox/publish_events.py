"""The tables' streams to the bus: publish the events that rode on committed items."""

from typing import Any

from tillflow.messaging.outbox import publish
from tillflow.runtime import metrics
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.values import clock


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Publish a batch. What is not published raises, and the whole batch comes again."""
    begin(context)
    published = publish(event["Records"])
    if published:
        oldest = min(clock.parse(envelope["occurred_at"]) for envelope in published)
        metrics.milliseconds("PublishLag", (clock.now() - oldest).total_seconds() * 1000)
    logger.info("published", extra={"trace_ids": [envelope["trace_id"] for envelope in published]})
