"""
HTTP as the functions see it: a request, a reply, the one error body.

A function is one route (or a route and its legacy alias), so API Gateway has already routed when it runs; `Api`
only checks the caller against `authorization.ROUTES`, reads the body, and turns errors into responses.
docs/adr/0006 says why this is not Powertools' resolver (cold start).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from tillflow import ids, jsontext
from tillflow.authorization import AUTHENTICATED, PUBLIC, ROUTES, scopes_of
from tillflow.deadline import LambdaContext
from tillflow.envelope import Cause
from tillflow.errors import Forbidden, Invalid, Refusal, TillflowError, Unauthorized, Unavailable
from tillflow.idempotency import MAX_KEY_LENGTH, Idempotency, KeyReused, Reply
from tillflow.invocation import begin, logger
from tillflow.openapi import Notes, note
from tillflow.validation import problems

REPLAY_HEADER = "x-idempotent-replay"
_HEADER_TEXT = re.compile(r"[\x21-\x7e]{1,128}")
_BAD_REQUEST = 400


class BadRequest(Invalid):
    """The same as `Invalid` for the contracts that answer 400."""

    status = _BAD_REQUEST


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: *user_id*, *roles*, and the *scopes* that follow from them."""

    user_id: str
    roles: tuple[str, ...]
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Tell whether the caller has *scope*."""
        return scope in self.scopes

    def require(self, scope: str) -> None:
        """
        Go on only with *scope*.

        Raises:
            Forbidden: the caller does not have it.
        """
        if not self.may(scope):
            raise Forbidden(f"This needs the scope {scope}, which your token does not carry.")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. *invalid* is the error for what breaks its contract (422, or 400 where a contract says so)."""

    event: Mapping[str, Any]
    invalid: type[Invalid]
    headers: Mapping[str, str]
    trace_id: str

    @staticmethod
    def of(event: Mapping[str, Any], invalid: type[Invalid]) -> "Request":
        """Return the request in an API Gateway proxy *event*; the caller's `X-Trace-Id` (a UUID) goes on, or a new one."""
        # Folded: HTTP does not tell the cases of header names apart.
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        sent = headers.get("x-trace-id", "")
        return Request(event, invalid, headers, sent.lower() if ids.is_uuid(sent) else ids.new())

    @property
    def route(self) -> str:
        """The method and path template, e.g. `GET /api/orders/{orderId}`."""
        return f"{self.event['httpMethod']} {self.event['resource']}"

    @property
    def path(self) -> Mapping[str, str]:
        """The path's parameters by name."""
        return self.event.get("pathParameters") or {}

    @property
    def caller(self) -> Principal:
        """
        Who calls, as the authorizer found.

        Raises:
            Unauthorized: the route has no authorizer, or it let nobody through.
        """
        context = self.event["requestContext"].get("authorizer") or {}
        if "userId" not in context:
            raise Unauthorized("Send a valid credential.")
        roles = tuple(filter(None, context.get("roles", "").split(",")))
        return Principal(context["userId"], roles, scopes_of(roles))

    @property
    def request_id(self) -> str:
        """The caller's `X-Request-Id`, or API Gateway's."""
        sent = self.headers.get("x-request-id", "")
        return sent if _HEADER_TEXT.fullmatch(sent) else self.event["requestContext"]["requestId"]

    def cause(self) -> Cause:
        """Return the cause of what this request does."""
        return Cause(self.caller.user_id, self.caller.roles, self.trace_id)

    def json(self) -> dict[str, Any]:
        """
        Return the body, a JSON object; an empty body is an empty object.

        Raises:
            Invalid: it is something else.
        """
        try:
            body = from_json(self.event.get("body") or "{}", allow_inf_nan=False)
        # TypeError: pydantic's word for text that is not Unicode (a lone surrogate).
        except (ValueError, TypeError) as error:
            raise self.invalid(f"The body is not JSON: {error}.", detail="invalid payload") from error
        if not isinstance(body, dict):
            raise self.invalid("The body must be a JSON object.", detail="invalid payload")
        return body

    def body[M: BaseModel](self, model: type[M]) -> M:
        """
        Return the body as *model*.

        Raises:
            Invalid: it does not fit; the message names the first few fields that do not.
        """
        return self.fit(model, self.json())

    def query[M: BaseModel](self, model: type[M]) -> M:
        """Return the query string as *model* (see `body`)."""
        return self.fit(model, self.event.get("queryStringParameters") or {})

    def fit[M: BaseModel](self, model: type[M], values: Mapping[str, Any]) -> M:
        """Return *values* as *model* (see `body`)."""
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise self.invalid(problems(error), detail="invalid payload") from error

    def idempotency(self, operation: str, *, reused: type[Refusal] = KeyReused) -> Idempotency | None:
        """
        Return this request under its `Idempotency-Key`, or None where it has none.

        Raises:
            Invalid: the key is empty or longer than 255 characters.
        """
        key = self.headers.get("idempotency-key")
        if key is None:
            return None
        if not key.strip() or len(key) > MAX_KEY_LENGTH:
            raise self.invalid(f"The Idempotency-Key must have 1 to {MAX_KEY_LENGTH} characters.")
        return Idempotency(operation, self.caller.user_id, key, self.json(), reused)

    def required_idempotency(self, operation: str) -> Idempotency:
        """Return the same where the contract demands a key; `Invalid` when there is none."""
        if once := self.idempotency(operation):
            return once
        raise self.invalid("Send an Idempotency-Key header: a unique value for each attempt, e.g. a UUID.")


@dataclass(frozen=True, slots=True)
class Download:
    """An answer that is a file: its *text*, media type and file name."""

    text: str
    content_type: str
    filename: str


type Answer = Reply | Download | dict[str, Any]
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
            status, text, headers = _render(self._routes[request.route](self._admit(request)))
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

    @staticmethod
    def _admit(request: Request) -> Request:
        demand = ROUTES[request.route]
        if demand == AUTHENTICATED:
            _ = request.caller  # raises without one
        elif demand != PUBLIC:
            request.caller.require(demand)
        return request


type _Rendered = tuple[int, str, dict[str, str]]


def _render(answer: Answer) -> _Rendered:
    match answer:
        case Download():
            disposition = f'attachment; filename="{answer.filename}"'
            return 200, answer.text, {"Content-Type": answer.content_type, "Content-Disposition": disposition}
        case Reply():
            return answer.status, jsontext.dumps(answer.body), {REPLAY_HEADER: "true"} if answer.replayed else {}
    return 200, jsontext.dumps(answer), {}


def _render_error(error: TillflowError, request: Request) -> _Rendered:
    body = error_body(error) | {"request_id": request.request_id}
    return error.status, jsontext.dumps(body), {"Retry-After": "1"} if isinstance(error, Unavailable) else {}


def error_body(error: TillflowError) -> dict[str, Any]:
    """Return the one error body (architecture: Errors)."""
    return {
        "error": error.title,
        "error_code": error.code,
        "message": error.message,
        "detail": error.detail or error.title,
        **error.extra,
    }
