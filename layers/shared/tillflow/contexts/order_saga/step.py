"""What every step's Lambda does around its decision."""

from collections.abc import Callable
from typing import Any

from tillflow.errors import StepRefused
from tillflow.messaging.envelope import Cause
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger

type Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def step(decide: Callable[[str, Cause], dict[str, Any] | None]) -> Handler:
    """
    Return the handler of one saga step.

    Its event is `{"order_id", "trace_id", "identity", "occurred_at"}`, from what started the saga; *decide* gets the
    order's id and the cause. A refusal leaves the Lambda as the error it is: the state machine catches it and
    compensates.
    """

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        order_id = event["order_id"]
        begin(context, order_id=order_id, trace_id=event["trace_id"])
        try:
            result = decide(order_id, Cause.of_envelope(event)) or {}
        except StepRefused as refusal:
            logger.info("refused", extra={"reason": str(refusal)})
            raise
        except Exception:
            logger.exception("failed")
            raise
        logger.info("done")
        return result

    return handler
