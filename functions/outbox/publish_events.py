"""The tables' streams to the bus: publish the events that rode on committed items."""

from typing import Any

from tillflow import clock, metrics
from tillflow.deadline import LambdaContext
from tillflow.invocation import begin, logger
from tillflow.outbox.service import publish


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Publish a batch. What is not published raises, and the whole batch comes again."""
    begin(context)
    traces = publish(event["Records"])
    oldest = min(record["dynamodb"]["ApproximateCreationDateTime"] for record in event["Records"])
    metrics.milliseconds("PublishLag", 1000 * (clock.now().timestamp() - oldest))
    logger.info("published", extra={"trace_ids": traces})
