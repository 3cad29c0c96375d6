"""
The error tree. Only `http.py` turns it into responses; only a Lambda without a caller lets it out.

    TillflowError
    ├── Refusal               the caller must change something; never retried
    │   ├── Invalid           422  (400 where a contract says so)
    │   ├── Unauthorized      401
    │   ├── Forbidden         403
    │   ├── NotFound          404
    │   ├── Conflict          409
    │   ├── Stale             412
    │   └── TooMany           429
    ├── StepRefused           a saga step's business "no": the saga compensates
    └── Unavailable           503  a dependency failed or was too slow; the same call may be sent again

A context subclasses these with its own code, e.g. `class OutOfStock(Conflict)`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar


class TillflowError(Exception):
    """
    Base of every error Tillflow raises on purpose.

    *message* is for people and says what to do; `code` (UPPER_SNAKE) and `detail` (a slug, where a
    contract names one) are for programs; *extra* joins the error body (e.g. the order of a 409). `headers` join the answer's.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"
    title: ClassVar[str] = "Internal server error"
    detail: str | None = None
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, message: str = "", *, detail: str | None = None, **extra: Any) -> None:
        super().__init__(message or self.title)
        self.message = message or self.title
        if detail is not None:
            self.detail = detail
        self.extra = extra


class Refusal(TillflowError):
    """What the caller sent, or who the caller is, does not allow this."""


class Invalid(Refusal):
    """The request is malformed or breaks a rule of its contract."""

    status = 422
    code = "VALIDATION_FAILED"
    title = "Validation failed"


class Unauthorized(Refusal):
    """No credential, or none that is valid now."""

    status = 401
    code = "UNAUTHORIZED"
    title = "Unauthorized"


class Forbidden(Refusal):
    """The caller is known and may not do this."""

    status = 403
    code = "FORBIDDEN"
    title = "Forbidden"
    detail = "Forbidden"


class NotFound(Refusal):
    """There is no such thing, or the caller may not know of it."""

    status = 404
    code = "NOT_FOUND"
    title = "Not found"


class Conflict(Refusal):
    """The state of the thing does not allow this now."""

    status = 409
    code = "CONFLICT"
    title = "Conflict"


class Stale(Refusal):
    """The thing is no longer what the `If-Match` header says."""

    status = 412
    code = "PRECONDITION_FAILED"
    title = "Precondition failed"


class TooMany(Refusal):
    """It was asked for too often: the same may be sent again after *retry_after* seconds."""

    status = 429
    code = "TOO_MANY_REQUESTS"
    title = "Too many requests"

    def __init__(self, message: str = "", *, retry_after: int = 1, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.headers = {"Retry-After": str(retry_after)}


class StepRefused(TillflowError):
    """A saga step decided "no" and has committed why; the saga goes to compensation."""


class Unavailable(TillflowError):
    """
    A dependency failed or did not answer in time. Nothing is known to be wrong with the request.

    Step Functions retries a step that raises this class (it is named in the saga's `Retry`).
    """

    status = 503
    code = "SERVICE_UNAVAILABLE"
    title = "Service unavailable"
    headers = MappingProxyType({"Retry-After": "1"})
