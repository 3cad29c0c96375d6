"""
What can go wrong.

    TillflowError
    ├── ApiError              the server refused: `status`, `error_code`, `message`, `request_id`
    │   ├── BadRequest        400, 422  what was sent is malformed or breaks a rule
    │   ├── Unauthorized      401  no credential, or none that is valid now
    │   ├── Forbidden         403  the credential may not do this, or the event type is reserved
    │   ├── NotFound          404
    │   ├── Conflict          409
    │   ├── PayloadTooLarge   413
    │   ├── TooManyRequests   429  still, after every retry
    │   └── ServerFailed      5xx  still, after every retry
    ├── NoAnswer              no connection, or no answer in time; still, after every retry
    ├── Unsent                some events of a batch were not taken in time: `events` may be sent again
    └── SomeRejected          some events of a batch can never be taken: `rejected` says why
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tillflow_client.events import NewEvent, Rejected


class TillflowError(Exception):
    """
    Base of every error that this package raises for what the server did.

    `again` tells that a retry may help, not before `retry_after` seconds.
    """

    again = False
    retry_after = 0.0


class ApiError(TillflowError):
    """
    The server refused.

    `status` is HTTP's, `error_code` (UPPER_SNAKE) is for programs, `message` for people and says what to do;
    `request_id` finds the request in the server's logs, None where no server of ours answered. `body` is the whole answer.
    """

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.error_code = str(body.get("error_code") or f"HTTP_{status}")
        self.message = str(body.get("message") or "the answer does not say why")
        self.request_id: str | None = body.get("request_id")
        self.body = body
        about = f" (request {self.request_id})" if self.request_id else ""
        super().__init__(f"{status} {self.error_code}: {self.message}{about}")


class BadRequest(ApiError):
    """400 or 422: what was sent is malformed, or breaks a rule, such as its type's schema."""


class Unauthorized(ApiError):
    """401: no credential, or none that is valid now."""


class Forbidden(ApiError):
    """403: the credential may not do this, or the event type is reserved for the product itself."""


class NotFound(ApiError):
    """404: there is no such thing."""


class Conflict(ApiError):
    """409: it does not fit what is there."""


class PayloadTooLarge(ApiError):
    """413: an event is larger than 200 KB, or a batch than 1 MB."""


class Passing(ApiError):
    """What the server says of this moment only."""

    again = True


class TooManyRequests(Passing):
    """429: more than the producer's rate, or than the account's."""


class ServerFailed(Passing):
    """5xx: something failed on the server's side."""


class NoAnswer(TillflowError):
    """No connection, or no answer in time. Whether the server did it is not known; the same key makes a retry safe."""

    again = True


class Unsent(TillflowError):
    """
    Not all events of a batch were taken in the time that retries have; `__cause__` says why.

    `events` are those of which it is not known; each sent again with its `key` is the same event.
    """

    def __init__(self, events: Sequence[NewEvent], why: object) -> None:
        super().__init__(f"{len(events)} events are not known to be accepted: {why}")
        self.events = list(events)


class SomeRejected(TillflowError):
    """Events of a batch that can never be accepted as they are, in `rejected`; all others of the batch were accepted."""

    def __init__(self, rejected: Sequence[Rejected]) -> None:
        first = rejected[0]
        super().__init__(
            f"{len(rejected)} events were rejected, the first ({first.event.event_type}): {first.error_code}: {first.message}"
        )
        self.rejected = list(rejected)


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: Passing,
    409: Conflict,
    413: PayloadTooLarge,
    422: BadRequest,
    429: TooManyRequests,
}
_FIRST_OF_THE_SERVER_S = 500


def refusal(status: int, body: Mapping[str, Any], retry_after: str = "") -> ApiError:
    """Return the error that a *status* with this *body* is; *retry_after* is that header."""
    kind = ServerFailed if status >= _FIRST_OF_THE_SERVER_S else _BY_STATUS.get(status, ApiError)
    error = kind(status, body)
    error.retry_after = float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else 0.0
    return error
