"""One route as an OpenAPI operation."""

from http import HTTPStatus
from typing import Any

from local.docs.openapi.refusals import Refusal, refusals_of
from local.docs.openapi.routes import NO_AUTHORIZER, Route
from local.docs.openapi.schemas import Schemas
from tillflow.storage.idempotency import MAX_KEY_LENGTH
from tillflow.web.authorization import AUTHENTICATED, PUBLIC, SCOPES
from tillflow.web.http import REPLAY_HEADER
from tillflow.web.openapi import ErrorBody

type Json = dict[str, Any]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

SECURITY_SCHEMES: Json = {
    "Bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A session's access token, or one from `POST /api/auth/token`.",
    },
    "ServiceToken": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Service-Token",
        "description": "The secret that Tillflow's own services share, or a service's token from `POST /v1/service-tokens`.",
    },
    "ApiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "A key of a producer of events, from `POST /api/v1/producers`.",
    },
}
# The template's authorizers, as the alternatives that each takes.
_CREDENTIALS = {
    NO_AUTHORIZER: (),
    "Bearer": ("Bearer",),
    "Fresh": ("Bearer",),
    "AnyCredential": ("Bearer", "ServiceToken"),
    "ApiKey": ("ApiKey",),
}
HEADERS: Json = {
    "X-Request-Id": {"description": "Names this request: the caller's own, or a new one.", "schema": {"type": "string"}},
    "X-Trace-Id": {
        "description": "Names this request in logs, and in events what follows from it: the caller's own, or a new one. "
        "What is done to an order is told under the trace that made it.",
        "schema": {"type": "string", "format": "uuid"},
    },
    REPLAY_HEADER: {
        "description": "The `Idempotency-Key` has been answered before: this is the first answer again.",
        "schema": {"type": "string", "const": "true"},
    },
    "ETag": {
        "description": "The version that is shown; send it as `If-Match` to change no other.",
        "schema": {"type": "string", "examples": ['"3"']},
    },
    "Content-Disposition": {"description": "The file's name.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "What a credential must be (RFC 9110, 11.6.1).", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before the same request is sent again.", "schema": {"type": "string"}},
}
PARAMETERS: Json = {
    "X-Request-Id": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "A name for this request, up to 128 visible ASCII characters; it comes back in the answer.",
        "schema": {"type": "string", "examples": ["checkout-17"]},
    },
    "X-Trace-Id": {
        "name": "X-Trace-Id",
        "in": "header",
        "description": "A UUID that names everything that follows from this request. Anything else is replaced by a new one.",
        "schema": {"type": "string", "examples": ["7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11"]},
    },
}

IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that it was read with: if it has another by now, nothing is changed. Without it, what is sent "
    "is changed whatever the rest is by now.",
    "schema": {"type": "string", "examples": ['"3"']},
}


def operation(route: Route, schemas: Schemas) -> Json:
    """Return the operation; what many share, it refers to (`components`)."""
    refusals = refusals_of(route)
    found: Json = {
        "operationId": route.operation_id,
        "tags": [route.context],
        "summary": route.name.replace("_", " ").capitalize(),
        "description": _description(route),
        "parameters": _parameters(route, schemas),
        "responses": {
            str(status): _answer(route, status, refusals.get(status, []), schemas)
            if status in route.notes["answers"]
            else shared_refusal(refusals[status])
            for status in sorted({*route.notes["answers"], *refusals})
        },
        "security": [{name: _scopes(route)} for name in _CREDENTIALS[route.authorizer]],
    }
    if "body" in route.notes:
        content: Json = {"schema": schemas.of(route.notes["body"])}
        if route.example:
            content["example"] = route.example
        found["requestBody"] = {"required": bool(_required(route, schemas)), "content": {JSON: content}}
    if "text" in route.notes:
        text: Json = {"schema": {"type": "string"}, "example": route.example}
        found["requestBody"] = {"required": True, "content": {route.notes["text"]: text}}
    if "patch" in route.notes:
        content = {"schema": schemas.patch_of(route.notes["patch"]), "example": route.example}
        found["requestBody"] = {"required": False, "content": {MERGE_PATCH: content, JSON: content}}
    return found


def shared_refusal(refusals: list[Refusal]) -> Json:
    """Return a reference to the response of one refusal, or the response of several."""
    return {"$ref": f"#/components/responses/{component(refusals[0])}"} if len(refusals) == 1 else refusal(refusals)


def component(only: Refusal) -> str:
    """Return the name under which a status' only refusal is shared."""
    return only.code.replace("_", " ").title().replace(" ", "") + str(only.status)


def refusal(refusals: list[Refusal], schema: Json | None = None) -> Json:
    """Return the response of these refusals, which have one status."""
    content: Json = {"schema": schema or {"$ref": f"#/components/schemas/{ErrorBody.__name__}"}}
    if schema is None:
        content["examples"] = {each.code: {"value": each.example} for each in refusals}
    return {
        "description": "\n".join(f"* `{each.code}`: {each.when}" for each in refusals),
        "headers": _headers(*dict.fromkeys(name for each in refusals for name in each.headers)),
        "content": {JSON: content},
    }


def _answer(route: Route, status: int, refusals: list[Refusal], schemas: Schemas) -> Json:
    kind = route.notes["answers"][status]
    if refusals and status >= HTTPStatus.BAD_REQUEST:
        return refusal(refusals, schemas.of(kind))
    found: Json = {"description": HTTPStatus(status).phrase}
    if route.by_api:
        replay = [REPLAY_HEADER] if "key" in route.notes else []
        file = ["Content-Disposition"] if kind == "text/csv" else []
        etag = ["ETag"] if "versioned" in route.notes else []
        found["headers"] = _headers(*replay, *file, *etag)
    if kind is None:
        return found
    content = {kind: {"schema": {"type": "string"}}} if isinstance(kind, str) else {JSON: {"schema": schemas.of(kind)}}
    return found | {"content": content}


def _headers(*more: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", "X-Trace-Id", *more)}


def _description(route: Route) -> str:
    paragraphs = [route.text]
    if route.aliased:
        paragraphs.append(f"The same as `{route.aliased}`.")
    if route.demand == AUTHENTICATED:
        paragraphs.append("Any valid bearer token may call it.")
    elif route.demand != PUBLIC:
        roles = ", ".join(sorted(role for role, scopes in SCOPES.items() if route.demand in scopes))
        paragraphs.append(f"Needs the scope `{route.demand}`. Roles that carry it: {roles}.")
    return "\n\n".join(paragraphs)


def _scopes(route: Route) -> list[str]:
    return [] if route.demand == AUTHENTICATED else [route.demand]


def _parameters(route: Route, schemas: Schemas) -> list[Json]:
    # What a path names is named by a UUID, where nothing else is noted.
    uuid = {"type": "string", "format": "uuid"}
    named = schemas.properties(route.notes["path"]) if "path" in route.notes else {}
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": named.get(name, uuid)} for name in route.parameters
    ]
    if "query" in route.notes:
        found += [_query_parameter(*each) for each in schemas.properties(route.notes["query"]).items()]
    if "key" in route.notes:
        found.append(_idempotency_key(required=route.notes["key"] == "required"))
    if "patch" in route.notes and route.notes.get("versioned"):
        found.append(IF_MATCH)
    return found + [{"$ref": f"#/components/parameters/{name}"} for name in PARAMETERS if route.by_api]


def _query_parameter(name: str, schema: Json) -> Json:
    # A query string has no null: what may be null in the model is what may be left out.
    if "anyOf" in schema:
        (schema,) = [each for each in schema["anyOf"] if each != {"type": "null"}]
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _idempotency_key(*, required: bool) -> Json:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "A value of your own for each attempt. Sent again with the same body within 24 hours, it gets the "
        "first answer again; with another body, a refusal.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": r"\S"},
        "example": "checkout-5e0f1a34-5",
    }


def _required(route: Route, schemas: Schemas) -> list[str]:
    """Return the fields that a body must have; a body without any may be left out."""
    schema = schemas.of(route.notes["body"])
    required: list[str] = schemas.components[schema["$ref"].rpartition("/")[2]].get("required", [])
    return required
