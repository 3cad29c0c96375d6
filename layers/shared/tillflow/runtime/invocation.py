"""
One Lambda invocation: its clock, and the logger whose every line says which function, request and trace it belongs to.

Each handler calls `begin` first and logs one line when it is done.
"""

from typing import Any

from aws_lambda_powertools import Logger

from tillflow.runtime import deadline
from tillflow.runtime.deadline import LambdaContext

logger = Logger()


def begin(context: LambdaContext, **known: Any) -> None:
    """Start the invocation's clock, and put *known* (trace_id, order_id, …) on each of its log lines."""
    deadline.start(context)
    logger.clear_state()
    logger.append_keys(function=context.function_name, lambda_request_id=context.aws_request_id, **known)
