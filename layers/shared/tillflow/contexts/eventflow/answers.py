"""Answers of EventFlow (contract: eventflow.md). Moments are ISO 8601 in UTC."""

from typing import Any, Literal, NotRequired, TypedDict

from tillflow.web.openapi import ErrorBody


class AcceptedEvent(TypedDict):
    """The event is stored, and will be delivered."""

    event_id: str
    status: Literal["ACCEPTED"]
    received_at: str


class Result(TypedDict):
    """What became of one event of a batch: ACCEPTED, REJECTED (change it), or FAILED (send it again)."""

    status: Literal["ACCEPTED", "REJECTED", "FAILED"]
    event_id: NotRequired[str]
    received_at: NotRequired[str]
    replayed: NotRequired[bool]
    error_code: NotRequired[str]
    message: NotRequired[str]


class Results(TypedDict):
    """What became of each event of a batch, in the order in which they were sent, and of how many what."""

    results: list[Result]
    accepted: int
    rejected: int
    failed: int


class EventEntry(TypedDict):
    """An event in a list."""

    event_id: str
    event_type: str
    event_version: int
    producer_id: str
    received_at: str


class EventPage(TypedDict):
    """A page of events; *total* is exact (`eq`), or there are more than that (`gte`)."""

    items: list[EventEntry]
    total: int
    total_relation: Literal["eq", "gte"]
    next_token: str | None


class EventDetails(EventEntry):
    """An event; without its payload where that was erased."""

    occurred_at: str
    trace_id: str
    payload: dict[str, Any] | None
    erased: bool


class Producer(TypedDict):
    """A producer; *rate*: events a second, null where the stack's holds."""

    producer_id: str
    name: str
    description: str | None
    rate: int | None
    status: Literal["ACTIVE", "DISABLED"]
    created_at: str
    created_by: str


class CreatedProducer(Producer):
    """A producer that was made, and its first API key, which is shown this once."""

    api_key: str
    key_id: str


class ProducerPage(TypedDict):
    """A page of producers, newest first."""

    items: list[Producer]
    next_token: str | None


class Key(TypedDict):
    """A producer's API key, without its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    created_by: str
    last_used_at: str | None


class CreatedKey(Key):
    """An API key that was made: it is shown this once."""

    api_key: str


class KeyList(TypedDict):
    """A producer's API keys that are not revoked, newest first."""

    items: list[Key]


class Health(TypedDict):
    """Whether events can be taken in and delivered."""

    status: Literal["UP", "DOWN"]


class Override(TypedDict):
    """Why a version was registered though it may break who reads the versions that it *breaks*."""

    reason: str
    breaks: list[int]


class EventTypeVersion(TypedDict):
    """A version of an event type, without its schema."""

    event_type: str
    version: int
    created_at: str
    created_by: str
    override: Override | None


class RegisteredSchema(EventTypeVersion):
    """A version of an event type: *schema* is a JSON Schema (2020-12) that the payloads of its events fit."""

    schema: dict[str, Any]


class EventTypeVersions(TypedDict):
    """An event type's versions, first to last."""

    event_type: str
    versions: list[EventTypeVersion]


class EventTypeEntry(TypedDict):
    """An event type in a list, and its newest version."""

    event_type: str
    version: int


class EventTypePage(TypedDict):
    """A page of event types by name."""

    items: list[EventTypeEntry]
    next_token: str | None


class Incompatibility(TypedDict):
    """Why readers of an earlier version may not understand a new one."""

    version: int
    reason: str


class Incompatible(ErrorBody):
    """The error body, with each earlier version that stands in the way, where any does."""

    reasons: NotRequired[list[Incompatibility]]
