"""Make the first administrator, once: `make up` invokes it, and on AWS whoever deployed the stack (README)."""

from typing import Any

from tillflow.contexts.identity import administration
from tillflow.messaging.envelope import Cause
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.values import ids


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    """Take `{"email", "password", "name"}`; answer `{"status": "created"}`, or `"exists"`: there has been one, who stays."""
    trace_id = ids.new()
    begin(context, trace_id=trace_id)
    user_id = administration.create_first(event["email"], event["password"], event["name"], Cause("deployment", (), trace_id))
    logger.info("first administrator", extra={"made": user_id is not None})
    return {"status": "created" if user_id else "exists"}
