"""Answers about consumers (contract: eventflow.md). Moments are ISO 8601 in UTC."""

from typing import Any, Literal, NotRequired, TypedDict


class Consumer(TypedDict):
    """A consumer. *broken_at* is there while its queue is missing: it is made again within minutes."""

    consumer_id: str
    name: str
    subscribed_event_types: list[str]
    start: str
    ack: Literal["auto", "manual"]
    lease_seconds: int
    status: Literal["PENDING", "ACTIVE", "PAUSED"]
    created_at: str
    broken_at: NotRequired[str]


class WatchedConsumer(Consumer):
    """
    A consumer, and about how many events wait for it (*backlog*) and are leased (*in_flight*).

    *oldest_age_seconds*: since when the oldest waits, as CloudWatch has measured it (on AWS, every minute). What there is not, or
    cannot be told now, is null. *dead_letters* are counted up to 1,000 (`gte`).
    """

    backlog: int | None
    in_flight: int | None
    oldest_age_seconds: int | None
    dead_letters: int
    dead_letters_relation: Literal["eq", "gte"]


class ConsumerPage(TypedDict):
    """A page of consumers, in the order of their ids."""

    items: list[Consumer]
    next_token: str | None


class DeliveredEvent(TypedDict):
    """An event, delivered for the *delivery_count*th time; *replayed*: sent again on purpose. What is *erased* has no payload."""

    event_id: str
    event_type: str
    event_version: int
    occurred_at: str
    received_at: str
    producer_id: str
    payload: dict[str, Any] | None
    delivery_count: int
    replayed: bool
    erased: NotRequired[Literal[True]]


class Fetched(TypedDict):
    """Events, and in the same order what acknowledges each. A paused consumer has none."""

    events: list[DeliveredEvent]
    ack: list[str]
    paused: NotRequired[Literal[True]]


class Acknowledged(TypedDict):
    """What became of an event: `expired` where its lease was over, so that it may come again; `failed` where nobody knows."""

    event_id: str
    status: Literal["acknowledged", "returned", "extended", "expired", "failed"]
    ack: NotRequired[str]


class Results(TypedDict):
    """What became of each event, in the order in which they were sent. What was extended has another `ack` from then on."""

    results: list[Acknowledged]


class DeadLetter(TypedDict):
    """An event that was delivered too often."""

    event_id: str
    event_type: str
    producer_id: str
    dead_at: str
    deliveries: int


class DeadLetterPage(TypedDict):
    """A page of dead letters, oldest first."""

    items: list[DeadLetter]
    next_token: str | None


class Redriven(TypedDict):
    """The event is queued again."""

    event_id: str
    status: Literal["QUEUED"]


class RedrivenAll(TypedDict):
    """How many events are queued again, and how many are left (counted up to 1,000)."""

    redriven: int
    remaining: int
