"""What an event from outside may be: decided without I/O."""

import re
from typing import Any

from tillflow.errors import Forbidden, Invalid, NotFound, Refusal
from tillflow.values import jsontext

# 200 KB, as compact JSON in UTF-8.
MAX_PAYLOAD_BYTES = 200 * 1024
MAX_BATCH_BYTES = 1024 * 1024
# Deeper than anybody writes; what stands between us and the consumer goes a few hundred deep.
MAX_DEPTH = 64
# What the bus takes of an integer (PutEvents); one that it refused would have been accepted, and go nowhere.
_INTEGERS = range(-(1 << 63), 1 << 63)
_LONG_NUMBER = re.compile(r"[0-9]{19}")
# The product's own types without their version, and what begins as its own do; a test holds this against docs/events.md.
_OURS = frozenset(
    {
        "inventoryfailed",
        "inventoryreleased",
        "inventoryreleaserequested",
        "inventoryreserved",
        "identity.mail_requested",
        "identity.session_revoked",
        "ordercreated",
        "orders.order_canceled",
        "orders.order_placed",
        "paymentfailed",
        "paymentsucceeded",
        "stocklevellow",
    }
)
_RESERVED = ("tillflow.", "eventflow.")
_VERSION = re.compile(r"\.v\d+$")


class ReservedEventType(Forbidden):
    """Events of this type are the product's own: nobody else may send them."""

    code = "RESERVED_EVENT_TYPE"
    title = "Reserved event type"


class PayloadTooLarge(Refusal):
    """The payload, or the batch, is larger than is taken."""

    status = 413
    code = "PAYLOAD_TOO_LARGE"
    title = "Payload too large"


class TooDeep(Invalid):
    """The payload is nested deeper than is taken."""

    status = 400


class TooBigANumber(Invalid):
    """The payload has an integer that has no place in 64 bits."""

    status = 400


class EventNotFound(NotFound):
    """There is no such event, or none any more: they are kept for 90 days."""

    code = "EVENT_NOT_FOUND"
    title = "Event not found"


class ProducerNotFound(NotFound):
    """There is no such producer."""

    code = "PRODUCER_NOT_FOUND"
    title = "Producer not found"


def is_ours(event_type: str) -> bool:
    """Tell whether a type is one of the product's own, however it is written."""
    folded = event_type.lower()
    return _VERSION.sub("", folded) in _OURS or f"{folded}.".startswith(_RESERVED)


def check_type(event_type: str) -> None:
    """
    Go on only with a type that others than the product may send.

    Raises:
        ReservedEventType: it is not.
    """
    if is_ours(event_type):
        raise ReservedEventType(
            f"Events of type {event_type} are sent by Tillflow alone. Choose a name of your own, e.g. acme.{event_type}."
        )


def check_payload(payload: dict[str, Any]) -> None:
    """
    Go on only with a payload that every carrier takes.

    Raises:
        PayloadTooLarge: it has more than 200 KB.
        TooDeep: it is nested deeper than 64.
        TooBigANumber: an integer in it has more than 64 bits.
    """
    if _is_deep(payload):
        raise TooDeep(f"payload: it is nested deeper than {MAX_DEPTH}.")
    text = jsontext.dumps(payload)
    size = len(text.encode())
    if size > MAX_PAYLOAD_BYTES:
        raise PayloadTooLarge(
            f"The payload has {size:,} bytes, {MAX_PAYLOAD_BYTES:,} are taken. Store it elsewhere, and send where it is."
        )
    # Most payloads have no number as long.
    if _LONG_NUMBER.search(text) and _has_big_number(payload):
        raise TooBigANumber("payload: an integer in it has more than 64 bits. Send it as a string.")


def _is_deep(payload: dict[str, Any]) -> bool:
    level: list[Any] = [payload]
    for _ in range(MAX_DEPTH):
        level = [each for value in level for each in _members(value) if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def _members(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def _has_big_number(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_big_number, _members(value)))
    return isinstance(value, int) and value not in _INTEGERS
