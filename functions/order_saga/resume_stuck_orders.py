"""Every minute: start the saga again of orders whose saga should have ended by now."""

from typing import Any

from tillflow.contexts.order_saga.resume import resume_overdue
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Return `{"resumed"}`: how many."""
    begin(context)
    traces = resume_overdue()
    logger.info("resumed", extra={"trace_ids": traces})
    return {"resumed": len(traces)}
