"""
What an order costs, from the calls themselves: with `METER=true`, every AWS call becomes one log line.

Only `make bench-cost` (and whoever wants the same on AWS) turns it on; it is not imported otherwise.
"""

from collections.abc import Mapping
from typing import Any

from tillflow.invocation import logger

_MEASURED = {"BatchGetItem", "GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"}


def attach(session: Any) -> None:
    """Let every client of a botocore *session* ask DynamoDB for what it consumes, and log each call."""
    for operation in _MEASURED:
        session.register(f"provide-client-params.dynamodb.{operation}", _ask)
    session.register("after-call", _report)


def _ask(params: dict[str, Any], **_: Any) -> dict[str, Any]:
    return params | {"ReturnConsumedCapacity": "INDEXES"}


def _report(parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
    consumed = parsed.get("ConsumedCapacity", [])
    logger.info(
        "aws call",
        extra={
            "service": model.service_model.service_name,
            "operation": model.name,
            "consumed": [consumed] if isinstance(consumed, dict) else consumed,
        },
    )
