"""The ledger's stream to reorder points: tell of each level that has fallen through its own, once."""

from typing import Any

from tillflow.contexts.stock.watching import watch
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Look at a batch. What the table does not take raises, and the whole batch comes again."""
    begin(context)
    watch(event["Records"])
    logger.info("watched", extra={"levels": len(event["Records"])})
