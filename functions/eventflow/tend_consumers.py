"""Every minute: end what was begun with consumers, and make queues again that somebody deleted."""

from typing import Any

from tillflow.contexts.eventflow import tending
from tillflow.messaging.envelope import Cause
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.values import ids


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Return `{"tended"}`: how many consumers needed it."""
    begin(context)
    tended = tending.tend(Cause("tillflow", (), ids.new()))
    logger.info("tended", extra={"consumers": tended})
    return {"tended": tended}
