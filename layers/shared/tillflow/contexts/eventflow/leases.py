"""
Leases of events: a fetch hands out a token for each, and what is done with the event is said with it.

A token names the event, when its lease began and ends, and SQS' receipt. It gives no right (whoever may use it could fetch the
event as well), and is checked as any input. A lease counts as over a little early, for it began after the clock was read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tillflow.contexts.eventflow import queues
from tillflow.contexts.eventflow.queues import LONGEST_LEASE_SECONDS, Results
from tillflow.contexts.eventflow.registry import Consumer
from tillflow.errors import Invalid
from tillflow.values import clock, ids
from tillflow.web import paging

_RECEIPT = re.compile(r"[!-~]{1,1024}")
_MOMENT = re.compile(r"[0-9]{1,14}", re.ASCII)
# What SQS says of a receipt whose lease is over (or that it never gave).
_OVER = {"InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid"}


class InvalidAck(Invalid):
    """One of the tokens is none that this consumer's fetches have answered."""

    status = 400
    code = "INVALID_ACK"
    title = "Invalid ack"


@dataclass(frozen=True, slots=True)
class Lease:
    """An event that is with a reader: since when, and until when (milliseconds since 1970)."""

    event_id: str
    receipt: str
    since: int
    until: int

    def is_over(self) -> bool:
        """Tell whether it has ended by now."""
        return clock.milliseconds(clock.now()) >= self.until


def lease(consumer: Consumer, event_id: str, receipt: str, asked_at: datetime) -> Lease:
    """Return the lease of what *consumer* asked SQS for at that moment."""
    since = clock.milliseconds(asked_at)
    return Lease(event_id, receipt, since, since + consumer.lease_seconds * 1000)


def token(consumer: Consumer, held: Lease) -> str:
    """Return what a client says which lease it means with."""
    return paging.token((held.event_id, held.receipt, str(held.since), str(held.until)), _of(consumer))


def read(consumer: Consumer, tokens: Sequence[str]) -> list[Lease]:
    """
    Return the leases that *tokens* are of.

    Raises:
        InvalidAck: one is no token of this consumer; the message names it.
    """
    return [_read(consumer, number, sent) for number, sent in enumerate(tokens)]


def acknowledge(consumer: Consumer, held: Sequence[Lease]) -> list[dict[str, Any]]:
    """
    Have done with events, and return for each how certain that is.

    One whose lease is over is deleted too if SQS will (its reader is done with it), but is said to come again: it may.

    Raises:
        QueueGone: there is no queue.
    """
    results = queues.acknowledge(consumer, [each.receipt for each in held])
    # The clock is read after SQS has answered: whose lease is not over by then had it when it was deleted.
    done = [("expired" if each.is_over() else "acknowledged", each, failure) for each, failure in _with(held, results)]
    return [_told(each, _status(failure, status)) for status, each, failure in done]


def give_back(consumer: Consumer, held: Sequence[Lease], delay_seconds: int) -> list[dict[str, Any]]:
    """Let events come again in so many seconds; else as `acknowledge`."""
    results = _for_seconds(consumer, held, delay_seconds)
    return [_told(each, _status(failure, "returned")) for each, failure in _with(held, results)]


def extend(consumer: Consumer, held: Sequence[Lease], seconds: int) -> list[dict[str, Any]]:
    """Let leases end so many seconds from now (12 hours from their beginning at most); else as `acknowledge`."""
    now = clock.milliseconds(clock.now())
    results = _for_seconds(consumer, held, seconds)

    def told(each: Lease, failure: str | None) -> dict[str, Any]:
        if failure is not None:
            return _told(each, _status(failure, ""))
        longer = Lease(each.event_id, each.receipt, each.since, now + _possible(each, seconds) * 1000)
        return _told(each, "extended") | {"ack": token(consumer, longer)}

    return [told(*each) for each in _with(held, results)]


def _for_seconds(consumer: Consumer, held: Sequence[Lease], seconds: int) -> Results:
    """Change leases that are not over; of one that is, another reader may have the event by now."""
    live = [each for each in held if not each.is_over()]
    told = iter(queues.extend(consumer, [(each.receipt, _possible(each, seconds)) for each in live]))
    return [next(told) if each in live else "MessageNotInflight" for each in held]


def _possible(each: Lease, seconds: int) -> int:
    """Return as many of *seconds* as SQS grants: a message is with one reader for twelve hours at most."""
    gone = (clock.milliseconds(clock.now()) - each.since) // 1000 + 1
    return max(0, min(seconds, LONGEST_LEASE_SECONDS - gone))


def _with(held: Sequence[Lease], results: Results) -> list[tuple[Lease, str | None]]:
    return list(zip(held, results, strict=True))


def _status(failure: str | None, done: str) -> str:
    return done if failure is None else "expired" if failure in _OVER else "failed"


def _told(each: Lease, status: str) -> dict[str, Any]:
    return {"event_id": each.event_id, "status": status}


def _of(consumer: Consumer) -> tuple[str, ...]:
    return "ack", consumer.consumer_id


def _read(consumer: Consumer, number: int, sent: str) -> Lease:
    try:
        match paging.place_of(sent, _of(consumer)):
            case [event_id, receipt, since, until] if _is_sound(event_id, receipt, since, until):
                return Lease(event_id, receipt, int(since), int(until))
    except paging.InvalidToken:
        pass
    raise InvalidAck(f"ack.{number}: this is none of the tokens that the fetches of this consumer have answered.")


def _is_sound(event_id: str, receipt: str, *moments: str) -> bool:
    return ids.is_uuid(event_id) and bool(_RECEIPT.fullmatch(receipt)) and all(map(_MOMENT.fullmatch, moments))
