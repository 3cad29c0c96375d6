"""
What each route takes and answers, noted where it is served, for docs/openapi.json (`make docs`) alone.

Nothing reads these notes when a request comes, and a Lambda pays no more for them than for a few dictionaries: the
document is made from them by `local/openapi` on a developer's machine.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from tillflow.errors import Invalid, TillflowError


class Notes(TypedDict, total=False):
    """What the document tells of a route, besides what `authorization.ROUTES`, the template and docstrings say."""

    # The pydantic models of the JSON body, of the query string, and of what in the path is no UUID.
    body: type
    query: type
    path: type
    # The media type of a body that is a text.
    text: str
    # Of a JSON Merge Patch (RFC 7396), the pydantic model of what it may change.
    patch: type
    # Whether a 200 is a version of something, and has its ETag.
    versioned: bool
    # What malformed requests are refused with (`Api` notes it itself).
    invalid: type[Invalid]
    # Whether the route takes an Idempotency-Key.
    key: Literal["required", "optional"]
    # What a status answers: the type of its JSON, or the media type of a text.
    answers: Mapping[int, Any]
    # The domain's refusals. What every route of its kind may answer (401, 403, 500, …) is not noted.
    refuses: Sequence[type[TillflowError]]


class ErrorBody(TypedDict):
    """The one error body: `error` and `message` are for people, `error_code` and `detail` for programs."""

    error: str
    error_code: str
    message: str
    detail: str
    request_id: str


class ShownAs:
    """Marks a field that is checked apart from its model: the document shows it as another *model*."""

    def __init__(self, model: Any) -> None:
        self._schema = model.__pydantic_core_schema__

    def __get_pydantic_json_schema__(self, _: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Return the other model's schema (pydantic asks)."""
        return handler(self._schema)


# What is noted of each route of the functions that this process has imported (in a Lambda: one).
NOTED: dict[str, tuple[Callable[..., Any], Notes]] = {}


def note[F: Callable[..., Any]](*routes: str, **notes: Unpack[Notes]) -> Callable[[F], F]:
    """Note what *routes* (`METHOD /path/{parameter}`) take and answer; the decorated function serves them."""

    def register(function: F) -> F:
        NOTED.update(dict.fromkeys(routes, (function, notes)))
        return function

    return register
