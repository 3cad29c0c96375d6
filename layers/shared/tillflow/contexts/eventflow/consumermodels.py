"""Requests about consumers (contract: eventflow.md)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tillflow.contexts.eventflow.queues import LONGEST_LEASE_SECONDS
from tillflow.values import clock
from tillflow.web.validation import NAMED, VISIBLE, Body, Query

LATEST, EARLIEST = "latest", "earliest"
MAX_TYPES, MAX_EVENTS, MAX_WAIT_SECONDS = 100, 100, 5
# A receipt of SQS has up to 1,024 characters; a token says a little more, in base64.
_MAX_ACK_LENGTH = 2_048


def _start(text: str) -> str:
    if text in (LATEST, EARLIEST):
        return text
    try:
        moment = clock.parse(text)
    except ValueError:
        raise ValueError(f"Input should be {LATEST}, {EARLIEST}, or a moment in ISO 8601, e.g. 2026-01-31T12:00:00Z") from None
    if moment > clock.now():
        raise ValueError("Input should be a moment that has been")
    return clock.iso(moment)


def _once(types: list[str]) -> list[str]:
    return list(dict.fromkeys(types))


type ConsumerName = Annotated[str, Field(min_length=1, max_length=100, pattern=NAMED)]
# A type, or the beginning of several and a star.
type Subscribed = Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]{1,128}|[A-Za-z0-9._-]{0,127}\*)$")]
type AnyTypes = Annotated[list[Subscribed], Field(max_length=MAX_TYPES), AfterValidator(_once)]
type Types = Annotated[AnyTypes, Field(min_length=1)]
type LeaseSeconds = Annotated[int, Field(ge=1, le=LONGEST_LEASE_SECONDS)]
type AckTokens = Annotated[list[Annotated[str, Field(max_length=_MAX_ACK_LENGTH)]], Field(min_length=1, max_length=MAX_EVENTS)]
type Ack = Literal["auto", "manual"]


class ConsumerFields(Body):
    """What may be changed of a consumer; what it subscribes to holds for events that are accepted from then on."""

    name: ConsumerName
    subscribed_event_types: Types
    ack: Ack = "auto"
    lease_seconds: LeaseSeconds = 30


class CreateConsumer(ConsumerFields):
    """
    A consumer: a name, and the types of events that it wants (`order.placed`, or `order.*` for all that begin so).

    With *ack* `auto` a fetch acknowledges what the fetch before returned, with `manual` it does not; what is not acknowledged
    within *lease_seconds* comes again. *start*: events that are accepted from now on (`latest`), all that are kept as well
    (`earliest`, 90 days), or those received since a moment.
    """

    start: Annotated[str, AfterValidator(_start)] = LATEST


class FetchQuery(Query):
    """Up to *limit* events, waiting for a first one up to *wait* seconds; *poller* tells processes of one host apart."""

    limit: Annotated[int, Field(ge=1, le=MAX_EVENTS)] = 10
    wait: Annotated[int, Field(ge=0, le=MAX_WAIT_SECONDS)] = 0
    poller: Annotated[str, Field(min_length=1, max_length=64, pattern=VISIBLE)] | None = None


class Acknowledge(Body):
    """The `ack` of up to 100 events, from the same consumer's fetches."""

    ack: AckTokens


class GiveBack(Acknowledge):
    """Events that come again, in so many seconds (at once)."""

    delay_seconds: Annotated[int, Field(ge=0, le=LONGEST_LEASE_SECONDS)] = 0


class Extend(Acknowledge):
    """Events that take longer: for so many seconds from now."""

    seconds: LeaseSeconds
