"""What every step's Lambda does around its decision."""

from collections.abc import Callable
from typing import Any

from tillflow.contexts.orders import service as orders
from tillflow.contexts.orders.service import Order, OrderNotFound
from tillflow.errors import StepRefused
from tillflow.messaging.envelope import Cause
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger

type Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def step(decide: Callable[[Order, Cause], dict[str, Any] | None], *, unknown: dict[str, Any] | None = None) -> Handler:
    """
    Return the handler of one saga step.

    Its event is `{"order_id"}` and nothing else: anyone may have put an event on the bus, and the order itself knows its
    user, roles and trace. *decide* gets the order as it stands and the cause. A refusal leaves the Lambda as the error it
    is: the state machine catches it and compensates. Where there is no such order, *unknown* is the answer, if there is
    one: an event that somebody made up ends without an alarm.
    """

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        order_id = event["order_id"]
        begin(context, order_id=order_id)
        try:
            order = orders.find(order_id)
            logger.append_keys(trace_id=order.trace_id)
            result = decide(order, Cause(order.user_id, order.roles, order.trace_id, since=order.created_at)) or {}
        except OrderNotFound:
            logger.warning("no such order")
            if unknown is None:
                raise
            return unknown
        except StepRefused as refusal:
            logger.info("refused", extra={"reason": str(refusal)})
            raise
        except Exception:
            logger.exception("failed")
            raise
        logger.info("done")
        return result

    return handler
