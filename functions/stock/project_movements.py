"""The ledger's stream to the list of movements: enter each stock event and sale in the partitions that filters read."""

from typing import Any

from tillflow.contexts.stock.projection import project
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Project a batch. What the table does not take raises, and the whole batch comes again."""
    begin(context)
    logger.info("projected", extra={"movements": project(event["Records"])})
