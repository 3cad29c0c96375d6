"""
What is queued for a consumer: not an event, which is stored once, but a pointer to it.

A message is `{"event_id", "consumer_id", "event_type", "producer_id", "replayed"}`, in its producer's group: SQS shares a queue
out fairly among groups, so that one producer's burst does not hold up the others.
"""

import re
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from tillflow.values import ids, jsontext

# What SQS takes for a group's name; of another producer's, a hash stands for it.
_GROUP = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which event is meant, and whether it is sent again on purpose."""

    event_id: str
    event_type: str
    producer_id: str
    replayed: bool = False


def entry(consumer_id: str, pointer: Pointer) -> dict[str, Any]:
    """Return the message of a *pointer* to a consumer, as an entry of a batch."""
    body = jsontext.dumps({"consumer_id": consumer_id, **asdict(pointer)})
    return {"MessageBody": body, "MessageGroupId": _group(pointer.producer_id)}


def read(body: str) -> tuple[str, Pointer] | None:
    """Return whose message and which pointer a message's *body* is, or None: anybody with the right may send anything."""
    try:
        told = jsontext.loads(body)
        pointer = Pointer(told["event_id"], told["event_type"], told["producer_id"], replayed=told["replayed"])
        consumer_id = told["consumer_id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = (consumer_id, pointer.event_id, pointer.event_type, pointer.producer_id)
    if not all(isinstance(text, str) for text in texts) or not isinstance(pointer.replayed, bool):
        return None
    return (consumer_id, pointer) if ids.is_uuid(consumer_id) and ids.is_uuid(pointer.event_id) else None


def _group(producer_id: str) -> str:
    return producer_id if _GROUP.fullmatch(producer_id) else sha256(producer_id.encode("utf-8", "surrogatepass")).hexdigest()
