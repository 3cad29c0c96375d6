"""Every five minutes: start imports again that should have ended by now."""

from typing import Any

from tillflow.contexts.stock import intake
from tillflow.messaging.envelope import Cause
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.values import ids


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Return `{"resumed"}`: how many."""
    begin(context)
    resumed = intake.resume(Cause("tillflow", (), ids.new()))
    logger.info("resumed", extra={"imports": resumed})
    return {"resumed": resumed}
