"""Requests of EventFlow (contract: eventflow.md)."""

from typing import Annotated, Any, Self

from pydantic import Field, RootModel, model_validator

from tillflow.web.openapi import ShownAs
from tillflow.web.paging import MAX_TOKEN_LENGTH
from tillflow.web.validation import NAMED, PRINTABLE, Body, Lax, Model, Moment, Query, Window

MAX_EVENTS = 100
MAX_RATE = 10_000
_MAX_VERSION = 99_999

type EventType = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")]
type Version = Annotated[int, Field(ge=1, le=_MAX_VERSION)]
type Limit = Annotated[int, Field(ge=1, le=100)]
type NextToken = Annotated[str, Field(max_length=MAX_TOKEN_LENGTH)]
type Rate = Annotated[int, Field(ge=1, le=MAX_RATE)]


class SendEvent(Body):
    """An event. *payload*: a JSON object of 200 KB at most. *occurred_at*: when it happened, where that was not just now."""

    event_type: EventType
    event_version: Version
    payload: dict[str, Any]
    occurred_at: Moment | None = None


class BatchedEvent(SendEvent):
    """An event of a batch; its *idempotency_key* is what `Idempotency-Key` is to one that is sent alone."""

    idempotency_key: Annotated[str, Field(min_length=1, max_length=255, pattern=PRINTABLE)] | None = None


class SendEvents(Body):
    """Up to 100 events, each of which is taken or refused by itself (see `BatchedEvent`)."""

    events: Annotated[list[Annotated[Any, ShownAs(BatchedEvent)]], Field(min_length=1, max_length=MAX_EVENTS)]


class EventsQuery(Window):
    """Which events: received within [*from*, *to*], of a type, of a producer."""

    event_type: EventType | None = None
    producer_id: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    limit: Lax[Limit] = 20
    next_token: NextToken | None = None


class ProducerFields(Body):
    """What can be changed of a producer."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=NAMED)]
    description: Annotated[str, Field(max_length=1000, pattern=PRINTABLE)] | None = None
    rate: Rate | None = None


class NewProducer(ProducerFields):
    """A producer: what it is called, what it is for, and how many events a second it may send (else as many as any)."""


class ListQuery(Query):
    """A page of a list."""

    limit: Lax[Limit] = 20
    next_token: NextToken | None = None


class NewKey(Body):
    """What a producer's key is called."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=NAMED)] = "key"


class TypePath(Model):
    """An event type, as a path names it."""

    type: EventType


class SchemaPath(TypePath):
    """A version of an event type, as a path names it."""

    version: Lax[Version]


class SchemaQuery(Query):
    """*override*: register it though earlier consumers may not understand it, for this *reason*."""

    override: Lax[bool] = False
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=NAMED)] | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.override != (self.reason is not None):
            raise ValueError("override and reason go together: say override=true, and why")
        return self


class SchemaOverridden(Model):
    """The data of `eventflow.schema_overridden.v1`."""

    registered_type: str
    registered_version: int
    breaks: list[int]
    reason: str
    user_id: str


class JsonSchema(RootModel[dict[str, Any]]):
    """A JSON Schema (2020-12) of 64 KB at most. References name places of the schema itself: `#/$defs/<name>`."""
