"""The tables' streams to the bus: publish the events that rode on committed items."""

from typing import Any

from aws_lambda_powertools import Logger

from tillflow import deadline
from tillflow.deadline import LambdaContext
from tillflow.outbox.service import publish

logger = Logger()


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Publish a batch. What is not published raises, and the whole batch comes again."""
    deadline.start(context)
    logger.info("published", extra={"events": publish(event["Records"])})
