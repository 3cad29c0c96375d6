"""Events: as they are sent, what became of them, and as they are received."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from tillflow_client.wire import encoded

_KEY = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True)
class NewEvent:
    """
    An event to send. *key* (1 to 255 visible ASCII characters) makes it one event however often it is sent; else it is a UUID.

    Raises:
        TypeError, ValueError: the payload is no JSON, *occurred_at* has no timezone, or the key is none.
    """

    event_type: str
    payload: Mapping[str, Any]
    version: int = 1
    occurred_at: datetime | None = None
    key: str = ""
    # The payload may change after it was sent: this is what it was.
    body: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Write down what is sent."""
        said = {"event_type": self.event_type, "event_version": self.version, "payload": self.payload}
        if self.occurred_at is not None:
            said["occurred_at"] = iso(self.occurred_at, "occurred_at")
        object.__setattr__(self, "key", self.key or str(uuid.uuid4()))
        if not _KEY.fullmatch(self.key):
            raise ValueError("a key has 1 to 255 visible ASCII characters, no spaces")
        object.__setattr__(self, "body", encoded(said))

    @property
    def in_batch(self) -> bytes:
        """The event as an entry of a batch, which has its key beside the fields."""
        return b'{"idempotency_key":' + encoded(self.key) + b"," + self.body[1:]


@dataclass(frozen=True)
class Accepted:
    """The server has the *event* as *event_id*, and will deliver it; *replayed*: it had it before."""

    event: NewEvent
    event_id: str
    received_at: datetime
    replayed: bool


@dataclass(frozen=True)
class Rejected:
    """The server will never take the *event* as it is; *error_code* and *message* are the server's."""

    event: NewEvent
    error_code: str
    message: str


Result = Accepted | Rejected


@dataclass(frozen=True)
class Event:
    """
    An event as a consumer receives it.

    *payload* is the JSON object that was sent, None where it was *erased* since. *producer_id* is a UUID, or
    `tillflow.<context>` for the product's own events. *delivery_count* is 1 at the first delivery; after the tenth the event
    is a dead letter. *replayed*: it comes of a replay. The same event may come twice: `event_id` tells.
    """

    event_id: str
    event_type: str
    event_version: int
    producer_id: str
    occurred_at: datetime
    received_at: datetime
    payload: Any
    delivery_count: int
    replayed: bool
    erased: bool

    @staticmethod
    def of(said: Mapping[str, Any]) -> Event:
        """Return the event of a fetch's answer."""
        return Event(
            event_id=said["event_id"],
            event_type=said["event_type"],
            event_version=said["event_version"],
            producer_id=said["producer_id"],
            occurred_at=moment(said["occurred_at"]),
            received_at=moment(said["received_at"]),
            payload=said["payload"],
            delivery_count=said["delivery_count"],
            replayed=said["replayed"],
            erased=said.get("erased", False),
        )


def moment(text: str) -> datetime:
    """Return the moment that the server wrote, in UTC."""
    # Python 3.10 knows neither `Z` nor fractions of other than three or six digits.
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole).replace(microsecond=int(f"{fraction:0<6.6}"), tzinfo=timezone.utc)


def iso(moment: datetime, what: str) -> str:
    """
    Return *moment* as the server reads it.

    Raises:
        ValueError: it has no timezone; the message says *what* it is.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{what} needs a timezone, e.g. datetime.now(timezone.utc)")
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
