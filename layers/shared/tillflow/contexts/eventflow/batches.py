"""Events that come in together: each is taken in or refused by itself, and told of by itself."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from tillflow.contexts.eventflow import accepting, door
from tillflow.contexts.eventflow.door import Guest
from tillflow.contexts.eventflow.models import BatchedEvent
from tillflow.errors import Invalid, Refusal, Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, deadline
from tillflow.web.validation import problems

_FAILED = {
    "status": "FAILED",
    "error_code": Unavailable.code,
    "message": "It could not be stored now. Send it again; with an idempotency_key it is stored once.",
}


def accept(guest: Guest, sent: Sequence[Any], key: str | None, arrived: int, cause: Cause) -> dict[str, Any]:
    """
    Take in the events of a batch, in order; return `{results, accepted, rejected, failed}`.

    Under a *key* of the batch's, an event that has none has its own: the key, and its number.

    An event that is REJECTED must be changed; one that has FAILED may be sent again. Once one has, the database is away: the
    ones behind it are not tried.

    Raises:
        TooManyEvents: they are more than the producer may send now; none is taken.
    """
    door.take(guest, len(sent), arrived, cause)
    results: list[dict[str, Any]] = []
    is_away = False
    for number, each in enumerate(sent):
        is_away = is_away or deadline.remaining() < aws.LONGEST_CALL_SECONDS
        result = _FAILED if is_away else _accept(guest, each, key and f"{key}\n{number}", arrived, cause)
        is_away = result is _FAILED
        results.append(result)
    told = [result["status"] for result in results]
    counts = {status.lower(): told.count(status) for status in ("ACCEPTED", "REJECTED", "FAILED")}
    return {"results": results, **counts}


def _accept(guest: Guest, sent: Any, key: str | None, arrived: int, cause: Cause) -> dict[str, Any]:
    try:
        wanted = BatchedEvent.model_validate(sent)
        reply = accepting.accept(guest, wanted, wanted.idempotency_key or key, arrived, cause)
    except ValidationError as error:
        return _rejected(Invalid(problems(error)))
    except Refusal as refusal:
        return _rejected(refusal)
    except Unavailable:
        return _FAILED
    return reply.body | ({"replayed": True} if reply.replayed else {})


def _rejected(refusal: Refusal) -> dict[str, Any]:
    return {"status": "REJECTED", "error_code": refusal.code, "message": refusal.message}
