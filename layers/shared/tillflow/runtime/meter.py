"""
What an order costs, from the calls themselves: with `METER=true`, every AWS call becomes one log line.

Only `make bench-cost` (and whoever wants the same on AWS) turns it on; it is not imported otherwise.
"""

from collections.abc import Mapping
from typing import Any

from tillflow.runtime.invocation import logger

_MEASURED = {"BatchGetItem", "BatchWriteItem", "GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"}


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
            "bytes_read": [_size(item) for item in _items(parsed)],
        },
    )


def _items(parsed: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a read brought: of GetItem, Query or BatchGetItem."""
    batches = parsed.get("Responses", {})
    found = [item for items in batches.values() for item in items] if isinstance(batches, dict) else []
    return [*found, *parsed.get("Items", ()), *([parsed["Item"]] if "Item" in parsed else ())]


def _size(item: Mapping[str, Any]) -> int:
    """Return an item's size in bytes (DynamoDB Developer Guide: item sizes and formats)."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(attribute: Mapping[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "B":
            return len(value.encode() if kind == "S" else value)
        case "N":
            return len(value) // 2 + 2
        case "L":
            return 3 + sum(1 + _value_size(member) for member in value)
        case "M":
            return 3 + len(value) + _size(value)
    return 1
