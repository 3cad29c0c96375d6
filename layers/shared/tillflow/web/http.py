"""
HTTP as the functions speak it: a route, its answer, the one error body.

A function is one route (or a route and its legacy alias), so API Gateway has already routed when it runs; `Api`
only checks the caller against `authorization.ROUTES`, and turns answers and errors into responses.
docs/adr/0006 says why this is not Powertools' resolver (cold start).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from tillflow.errors import Invalid, TillflowError
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.storage.idempotency import Reply
from tillflow.values import jsontext
from tillflow.web.authorization import AUTHENTICATED, PUBLIC, ROUTES
from tillflow.web.openapi import Notes, note
from tillflow.web.request import BadRequest, Request

REPLAY_HEADER = "x-idempotent-replay"
# Lambda answers 6 MB at most, counted as the JSON that it sends.
MAX_BODY_BYTES = 5_500_000


@dataclass(frozen=True, slots=True)
class Download:
    """An answer that is a file: its *text*, media type and file name."""

    text: str
    content_type: str
    filename: str


@dataclass(frozen=True, slots=True)
class Versioned:
    """An answer that shows a thing's *version*, which is its ETag (RFC 9110)."""

    body: dict[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class Headed:
    """An answer that has *headers* of its own."""

    body: dict[str, Any]
    headers: Mapping[str, str]


def csv_download(filename: str, columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> Download:
    """
    Return *records* as a CSV file.

    Raises:
        BadRequest: it is larger than Lambda answers.
    """
    from tillflow.values import csvtext

    too_large = BadRequest("The export is larger than 5 MB. Ask for less: a lower limit, or a shorter time.")
    rows, size = [], 0
    for row in csvtext.rows(columns, records):
        # Before the rest is read: it might take longer than there is time.
        if (size := size + len(row)) > MAX_BODY_BYTES:
            raise too_large
        rows.append(row)
    if size_of(text := "".join(rows)) > MAX_BODY_BYTES:
        raise too_large
    return Download(text, "text/csv; charset=utf-8", filename)


# None: 204, there is nothing to say.
type Answer = Reply | Download | Versioned | Headed | dict[str, Any] | None
type Route = Callable[[Request], Answer]


class Api:
    """
    The handler of one route: `api = Api()`, `@api.route("POST /api/orders")`, `handler = api.handler`.

    *invalid* is what malformed requests are refused with.
    """

    def __init__(self, *, invalid: type[Invalid] = Invalid) -> None:
        self._invalid = invalid
        self._routes: dict[str, Route] = {}

    def route(self, *routes: str, **notes: Unpack[Notes]) -> Callable[[Route], Route]:
        """
        Serve *routes* (`METHOD /path/{parameter}`, as in the template) with the decorated function.

        *notes* tell docs/openapi.json what they take and answer.
        """

        def register(function: Route) -> Route:
            self._routes |= dict.fromkeys(routes, function)
            return note(*routes, **(notes | {"invalid": self._invalid}))(function)

        return register

    def handler(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one API Gateway proxy event."""
        request = Request.of(event, self._invalid)
        begin(context, request_id=request.request_id, trace_id=request.trace_id)
        try:
            _admit(request)
            status, text, headers = _render(self._routes[request.route](request))
        except TillflowError as error:
            status, text, headers = _render_error(error, request)
        except Exception:  # noqa: BLE001 - the boundary: a fault of ours becomes a 500 that tells nothing, and a log line that tells all.
            logger.exception("unexpected error")
            ours = TillflowError("Something failed on our side. Try again; quote the request_id if it stays.")
            status, text, headers = _render_error(ours, request)
        # The path's ids are what `make trace` knows a later request for an order by: it has a trace of its own.
        logger.info("request", extra={"route": request.route, "path": request.path, "status": status})
        return {
            "statusCode": status,
            "headers": {
                "Content-Type": "application/json",
                "Cache-Control": "no-store",
                "X-Request-Id": request.request_id,
                "X-Trace-Id": request.trace_id,
                **headers,
            },
            "body": text,
        }


def _admit(request: Request) -> None:
    demand = ROUTES[request.route]
    if demand == AUTHENTICATED:
        _ = request.caller  # raises without one
    elif demand != PUBLIC:
        request.caller.require(demand)


def size_of(body: str) -> int:
    """Return the bytes that *body* takes of what Lambda may answer: it is a text within Lambda's own JSON."""
    return len(jsontext.dumps(body).encode())


type _Rendered = tuple[int, str, dict[str, str]]


def _render(answer: Answer) -> _Rendered:
    match answer:
        case Download():
            disposition = f'attachment; filename="{answer.filename}"'
            return 200, answer.text, {"Content-Type": answer.content_type, "Content-Disposition": disposition}
        case Versioned():
            return 200, jsontext.dumps(answer.body), {"ETag": f'"{answer.version}"'}
        case Headed():
            return 200, jsontext.dumps(answer.body), dict(answer.headers)
        case None:
            return 204, "", {}
        case Reply():
            return answer.status, jsontext.dumps(answer.body), {REPLAY_HEADER: "true"} if answer.replayed else {}
    return 200, jsontext.dumps(answer), {}


def _render_error(error: TillflowError, request: Request) -> _Rendered:
    body = error_body(error) | {"request_id": request.request_id}
    return error.status, jsontext.dumps(body), dict(error.headers)


def error_body(error: TillflowError) -> dict[str, Any]:
    """Return the one error body (architecture: Errors)."""
    return {
        "error": error.title,
        "error_code": error.code,
        "message": error.message,
        "detail": error.detail or error.title,
        **error.extra,
    }
