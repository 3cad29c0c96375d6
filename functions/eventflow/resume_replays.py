"""Every minute: start replays that nobody is at."""

from typing import Any

from tillflow.contexts.eventflow import launching
from tillflow.messaging.envelope import Cause
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.values import ids


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Return `{"resumed"}`: how many."""
    begin(context)
    resumed = launching.resume(Cause("tillflow", (), ids.new()))
    logger.info("resumed", extra={"replays": resumed})
    return {"resumed": resumed}
