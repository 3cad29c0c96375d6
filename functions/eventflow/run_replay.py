"""A run of a replay's state machine: send events again while there is time."""

from typing import Any

from tillflow.contexts.eventflow import replaying
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Return `{"finished"}`: whether nothing is left to do."""
    begin(context, consumer_id=event["consumer_id"], replay_id=event["replay_id"])
    finished = replaying.run(event["consumer_id"], event["replay_id"])
    logger.info("replayed", extra={"finished": finished})
    return {"finished": finished}
