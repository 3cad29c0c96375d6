"""A request as the functions see it: who calls, and what was sent, read or refused in the words of its contract."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, NoneType
from typing import Any, get_args
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from tillflow.errors import Forbidden, Invalid, Refusal, Stale, Unauthorized
from tillflow.messaging.envelope import Cause
from tillflow.storage.idempotency import MAX_KEY_LENGTH, Idempotency, KeyReused, Once, Unkeyed
from tillflow.values import clock, ids, jsontext
from tillflow.values.mergepatch import merged
from tillflow.web.authorization import scopes_of
from tillflow.web.validation import problems

_HEADER_TEXT = re.compile(r"[\x21-\x7e]{1,128}")
# A login is fresh for ten minutes.
FRESH_SECONDS = 600
# The contracts' word for whatever is wrong with a request.
_DETAIL = "invalid payload"
_LONGEST_USER_AGENT = 256


class BadRequest(Invalid):
    """The same as `Invalid` for the contracts that answer 400."""

    status = 400


class FreshLoginRequired(Unauthorized):
    """Who calls has not shown lately that it is them: log in, then do it within ten minutes (RFC 9470)."""

    code = "FRESH_LOGIN_REQUIRED"
    headers = MappingProxyType(
        {"WWW-Authenticate": f'Bearer error="insufficient_user_authentication", max_age="{FRESH_SECONDS}"'},
    )


@dataclass(frozen=True, slots=True)
class Principal:
    """
    Who calls: *user_id*, *roles*, and the *scopes* that follow from them (a machine's credential has its own).

    *authenticated_at* says when they showed that it is them (seconds since 1970), *session_id* of which login; *name* is what a
    user is called.
    """

    user_id: str
    roles: tuple[str, ...]
    scopes: frozenset[str]
    session_id: str | None = None
    authenticated_at: int | None = None
    name: str | None = None

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

    def require_fresh_login(self) -> None:
        """
        Go on only where the caller has logged in a moment ago: what is stolen, or left open on a desk, does not do.

        Raises:
            FreshLoginRequired: it is longer ago.
        """
        if clock.epoch(clock.now()) - (self.authenticated_at or 0) >= FRESH_SECONDS:
            raise FreshLoginRequired("Log in again: this asks for a login that is less than ten minutes old.")


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
        return Request(event, invalid, headers, ids.trace_id(headers.get("x-trace-id", "")))

    @property
    def route(self) -> str:
        """The method and path template, e.g. `GET /api/orders/{orderId}`."""
        return f"{self.event['httpMethod']} {self.event['resource']}"

    @property
    def path(self) -> Mapping[str, str]:
        """The path's parameters by name; a UUID as we write it, in lower case."""
        # A REST API hands them on as they were sent, in percent-encoding.
        sent = {name: unquote(value) for name, value in (self.event.get("pathParameters") or {}).items()}
        return {name: value.lower() if ids.is_uuid(value) else value for name, value in sent.items()}

    @property
    def caller(self) -> Principal:
        """
        Who calls, as the authorizer found.

        Raises:
            Unauthorized: the route has no authorizer, it let nobody through, or the token has expired since.
        """
        context = self.event["requestContext"].get("authorizer") or {}
        if "userId" not in context or clock.epoch(clock.now()) >= float(context.get("expiresAt", "inf")):
            raise Unauthorized("Send a valid credential.")
        roles = tuple(filter(None, context.get("roles", "").split(",")))
        scopes = frozenset(context["scopes"].split()) if "scopes" in context else scopes_of(roles)
        return Principal(
            context["userId"],
            roles,
            scopes,
            session_id=context.get("sessionId"),
            name=context.get("name"),
            authenticated_at=int(context["authenticatedAt"]) if "authenticatedAt" in context else None,
        )

    @property
    def request_id(self) -> str:
        """The caller's `X-Request-Id`, or API Gateway's."""
        sent = self.headers.get("x-request-id", "")
        return sent if _HEADER_TEXT.fullmatch(sent) else self.event["requestContext"]["requestId"]

    @property
    def address(self) -> str:
        """The network's address that the request came from, as API Gateway saw it: no header, which anybody can write."""
        return str(self.event["requestContext"]["identity"]["sourceIp"])

    @property
    def user_agent(self) -> str:
        """What the client says that it is, as far as it can be shown (256 characters); empty where it says nothing."""
        return "".join(filter(str.isprintable, self.headers.get("user-agent", "")))[:_LONGEST_USER_AGENT]

    @property
    def arrived(self) -> int:
        """When API Gateway took the request in, in milliseconds since 1970."""
        return int(self.event["requestContext"]["requestTimeEpoch"])

    def cause(self) -> Cause:
        """Return the cause of what this request does."""
        caller = self.caller
        return Cause(caller.user_id, caller.roles, self.trace_id, name=caller.name)

    def told[T](self, shape: type[T]) -> T:
        """
        Return what the authorizer tells of the caller besides who it is, as a dataclass of this *shape*.

        Raises:
            Unauthorized: it does not.
        """
        context = self.event["requestContext"].get("authorizer") or {}
        try:
            return shape(**{name: kind(context[name]) for name, kind in shape.__annotations__.items()})
        except KeyError:
            raise Unauthorized("Send a valid credential.") from None

    def json(self, *, exact: bool = False) -> dict[str, Any]:
        """
        Return the body, a JSON object; an empty body is an empty object.

        *exact*: a number with a fraction is a `Decimal`, as it was written: what is passed on is not changed.

        Raises:
            Invalid: it is something else.
        """
        text = self.event.get("body") or "{}"
        try:
            body = jsontext.loads(text) if exact else from_json(text, allow_inf_nan=False)
        # TypeError: pydantic's word for text that is not Unicode (a lone surrogate); RecursionError: what is nested too deep.
        except (ValueError, TypeError, RecursionError) as error:
            raise self.invalid(f"The body is not JSON: {error}.", detail=_DETAIL) from error
        if not isinstance(body, dict):
            raise self.invalid("The body must be a JSON object.", detail=_DETAIL)
        return body

    def text(self, kind: str) -> str:
        """
        Return the body, a text of this media type.

        Raises:
            Invalid: it is something else.
        """
        media_type, _, parameters = self.headers.get("content-type", "").lower().replace(" ", "").partition(";")
        if media_type != kind or parameters.replace('"', "") not in ("", "charset=utf-8"):
            raise self.invalid(f"Send the file with Content-Type: {kind}; charset=utf-8.", detail=_DETAIL)
        sent = self.event.get("body") or ""
        try:
            text = base64.b64decode(sent).decode() if self.event.get("isBase64Encoded") else str(sent)
            text.encode()  # half a character has no form in UTF-8
        except ValueError as error:
            raise self.invalid("The file is not in UTF-8.", detail=_DETAIL) from error
        if "\ufffd" in text:  # so API Gateway hands on bytes that are no UTF-8
            raise self.invalid("The file is not in UTF-8, or a character was lost before it was sent.", detail=_DETAIL)
        return text

    def body[M: BaseModel](self, model: type[M]) -> M:
        """
        Return the body as *model*.

        Raises:
            Invalid: it does not fit; the message names the first few fields that do not.
        """
        return self.fit(model, self.json())

    def patch[M: BaseModel](self, model: type[M]) -> Callable[[Mapping[str, Any]], M]:
        """
        Return what applies the body, a JSON Merge Patch (RFC 7396), to a thing's present fields; the result is *model*.

        Raises:
            Invalid: a field is null, which takes it away, that must have a value.
        """
        patch = self.json()
        for name, field in model.model_fields.items():
            if name in patch and patch[name] is None and NoneType not in get_args(field.annotation):
                raise self.invalid(f"{name}: it cannot be taken away.", detail=_DETAIL)
        return lambda present: self.fit(model, merged(present, patch))

    def check_version(self, version: int) -> None:
        """
        Go on only if the thing has the version that the `If-Match` header wants (RFC 9110, 13.1.1), or there is none.

        Raises:
            Stale: it has another.
        """
        wanted = self.headers.get("if-match", "*")
        if wanted.strip() != "*" and f'"{version}"' not in map(str.strip, wanted.split(",")):
            raise Stale("It has changed since, or the If-Match is no ETag of it. Read it again, and decide anew.")

    def query[M: BaseModel](self, model: type[M]) -> M:
        """Return the query string as *model* (see `body`)."""
        return self.fit(model, self.event.get("queryStringParameters") or {})

    def named[M: BaseModel](self, model: type[M]) -> M:
        """Return those of the path's parameters that *model* has, as it (see `body`)."""
        return self.fit(model, {name: self.path[name] for name in model.model_fields})

    def fit[M: BaseModel](self, model: type[M], values: Mapping[str, Any]) -> M:
        """Return *values* as *model* (see `body`)."""
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise self.invalid(problems(error), detail=_DETAIL) from error

    @property
    def key(self) -> str | None:
        """The `Idempotency-Key`, if there is one (see `required_key`)."""
        return self.required_key() if "idempotency-key" in self.headers else None

    def required_key(self) -> str:
        """
        Return the `Idempotency-Key` where the contract demands one.

        Raises:
            Invalid: there is none, or it is empty or longer than 255 characters.
        """
        if "idempotency-key" not in self.headers:
            raise self.invalid("Send an Idempotency-Key header: a unique value for each attempt, e.g. a UUID.", detail=_DETAIL)
        key = self.headers["idempotency-key"]
        if not key.strip() or len(key) > MAX_KEY_LENGTH:
            raise self.invalid(f"The Idempotency-Key must have 1 to {MAX_KEY_LENGTH} characters.", detail=_DETAIL)
        return key

    def idempotency(self, operation: str, *, reused: type[Refusal] = KeyReused) -> Once:
        """
        Return this request under its `Idempotency-Key`; without one, it takes effect each time.

        Raises:
            Invalid: the key is empty or longer than 255 characters.
        """
        key = self.key
        return Unkeyed() if key is None else Idempotency(operation, self.caller.user_id, key, self.json(), reused)

    def required_idempotency(self, operation: str) -> Once:
        """Return the same where the contract demands a key; `Invalid` when there is none."""
        self.required_key()
        return self.idempotency(operation)
