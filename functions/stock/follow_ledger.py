"""
The ledger's stream: list what has moved and levels that are new, and watch what runs low.

One function for all, which is the stream's second reader after the publisher: AWS advises no third.
"""

from typing import Any

from tillflow.contexts.stock.projection import project
from tillflow.contexts.stock.watching import is_watched, watch
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Take a batch. What the tables do not take raises, and the whole batch comes again: done twice, it is done once."""
    begin(context)
    records = event["Records"]
    levels = [record for record in records if is_watched(record)]
    movements = project([record for record in records if not is_watched(record)])
    watch(levels)
    logger.info("followed", extra={"movements": movements, "levels": len(levels)})
