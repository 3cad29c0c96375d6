"""A run of the import's state machine: record rows while there is time."""

from typing import Any

from tillflow.contexts.stock import importing
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Return `{"finished"}`: whether nothing is left to do."""
    begin(context, import_id=event["import_id"])
    finished = importing.run(event["import_id"])
    logger.info("imported", extra={"finished": finished})
    return {"finished": finished}
