"""What each route may refuse, and how: the domain's errors, the caller's, ours, and API Gateway's own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.docs.openapi.routes import NO_AUTHORIZER, Route, prose, template
from tillflow.errors import Forbidden, TillflowError, Unauthorized, Unavailable
from tillflow.web.authorization import AUTHENTICATED, PUBLIC
from tillflow.web.http import error_body

type Json = dict[str, Any]

REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@dataclass(frozen=True)
class Refusal:
    """One error that a route may answer: its status, its code, when, an example, and the names of its own headers."""

    status: int
    code: str
    when: str
    example: Json
    headers: tuple[str, ...]


def refusals_of(route: Route) -> dict[int, list[Refusal]]:
    """Return the route's refusals by status; of several with one code, the first speaks."""
    found: dict[int, dict[str, Refusal]] = {}
    for refusal in (*map(_of_error, _errors(route)), *map(_of_gateway, _gateway_responses(route))):
        found.setdefault(refusal.status, {}).setdefault(refusal.code, refusal)
    return {status: list(found[status].values()) for status in sorted(found)}


def _errors(route: Route) -> Iterator[type[TillflowError]]:
    if not route.by_api:
        return
    yield from route.notes.get("refuses", ())
    if {"body", "query", "path", "patch", "key"} & route.notes.keys():
        yield route.notes["invalid"]
    if route.demand != PUBLIC:
        yield from (Unauthorized, Unavailable)
    if route.demand not in (PUBLIC, AUTHENTICATED):
        yield Forbidden
    yield TillflowError


def _gateway_responses(route: Route) -> Iterator[str]:
    """Yield the names of the template's GatewayResponses that the route's callers may meet."""
    yield from ("THROTTLED", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT")
    if {"body", "patch"} & route.notes.keys():
        yield "REQUEST_TOO_LARGE"
    if route.authorizer != NO_AUTHORIZER:
        yield "UNAUTHORIZED"


def _of_error(error: type[TillflowError]) -> Refusal:
    words = prose(error.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    made = error(words)
    return Refusal(error.status, error.code, words, error_body(made) | {"request_id": REQUEST_ID}, tuple(made.headers))


def _of_gateway(name: str) -> Refusal:
    response = template()["Api"]["Properties"]["GatewayResponses"][name]
    body = json.loads(response["ResponseTemplates"]["application/json"])
    headers = response.get("ResponseParameters", {}).get("Headers", {})
    return Refusal(response["StatusCode"], body["error_code"], body["message"], body | {"request_id": REQUEST_ID}, tuple(headers))
