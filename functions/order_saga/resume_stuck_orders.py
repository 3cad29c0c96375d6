"""Every minute: start the saga again of orders whose saga should have ended by now."""

from typing import Any

from aws_lambda_powertools import Logger

from tillflow import deadline
from tillflow.deadline import LambdaContext
from tillflow.order_saga.resume import resume_overdue

logger = Logger()


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Return `{"resumed"}`: how many."""
    deadline.start(context)
    resumed = resume_overdue()
    logger.info("resumed", extra={"resumed": resumed})
    return {"resumed": resumed}
