"""Messages of the product's events, as a consumer behind its queue is invoked with them."""

import json
from typing import Any


def event_id(number: int) -> str:
    """Return an event's id, that tells its number."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


ENVELOPE = {
    "event_id": event_id(1),
    "event_type": "OrderCreated",
    "occurred_at": "2026-02-10T12:34:56.000Z",
    "trace_id": "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11",
    "identity": {"user_id": "user-1", "roles": []},
    "data": {},
    "version": 1,
}


def batch(*bodies: object) -> dict[str, Any]:
    """Return what SQS invokes a consumer with: a message `m-0`, `m-1`, … for each body."""
    records = [
        {"messageId": f"m-{n}", "body": each if isinstance(each, str) else json.dumps(each)} for n, each in enumerate(bodies)
    ]
    return {"Records": records}


def message(source: str = "tillflow.orders", **changes: Any) -> dict[str, Any]:
    """Return the body of a message, as the bus writes it, of an envelope that differs by *changes*."""
    return {"detail-type": "OrderCreated", "source": source, "detail": ENVELOPE | changes}


def failed(answer: dict[str, Any]) -> list[str]:
    """Return the ids of the messages that a consumer gave back."""
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]
