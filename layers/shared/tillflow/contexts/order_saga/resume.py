"""Sagas that did not end: started again. A lost start, an aborted run or a long outage is no more than a delay."""

from typing import Any

from tillflow.contexts.orders import service as orders
from tillflow.contexts.orders.service import OrderUnreadable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, deadline
from tillflow.runtime.config import setting
from tillflow.values import jsontext

# The next order is read, its saga started, its deadline written.
_SECONDS = 3 * aws.LONGEST_CALL_SECONDS


def resume_overdue() -> list[str]:
    """
    Start the saga of every order that is past its deadline, while there is time; return their traces.

    Raises:
        OrderUnreadable: of one that can never be read, which is told when no other waits for it.
    """
    traces, unreadable = [], []
    for order_id in orders.overdue():
        if deadline.remaining() < _SECONDS:
            break  # The next minute goes on.
        try:
            order = orders.find(order_id)
        except OrderUnreadable as error:
            unreadable.append(error)
            continue
        # Started first, postponed after: a start that fails is tried again in a minute, and one too many does no harm.
        aws.client("stepfunctions").start_execution(
            stateMachineArn=setting("ORDER_SAGA_ARN"), input=jsontext.dumps(saga_input(order.order_id))
        )
        orders.postpone(order.order_id, Cause(order.user_id, order.roles, order.trace_id))
        traces.append(order.trace_id)
    if unreadable:
        raise unreadable[0]
    return traces


def saga_input(order_id: str) -> dict[str, Any]:
    """Return what the saga reads of the event that starts it."""
    return {"data": {"order_id": order_id}}
