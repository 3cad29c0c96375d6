"""The whole document."""

import importlib
import tomllib
from typing import Any

from local import ROOT
from local.docs.openapi.operations import HEADERS, PARAMETERS, SECURITY_SCHEMES, component, operation, refusal
from local.docs.openapi.refusals import refusals_of
from local.docs.openapi.routes import Route, routes
from local.docs.openapi.schemas import Schemas
from tillflow.web.openapi import ErrorBody

type Json = dict[str, Any]

ABOUT = """\
Answers carry `X-Request-Id` and `X-Trace-Id` (this document and its page do not), and every refusal has one body:
`error` and `message` are for people, `error_code` and `detail` for programs. Orders and tokens answer 422 to a malformed
request, stock answers 400, each as its contract says. Times are ISO 8601 in UTC. Amounts are integers in minor units of
their currency.

A command that takes an `Idempotency-Key` does its work once, however often it is sent: after a lost answer, send the
same request again. A `429`, `502`, `503` or `504` may be sent again too; other refusals need another request.
"""
SYSTEM = "Health, and this document."


def document() -> Json:
    """Return the document; its order follows `authorization.ROUTES` and so is stable."""
    served = routes()
    schemas = Schemas([ErrorBody, *(kind for route in served for kind in _types(route))])
    paths: Json = {}
    for route in served:
        paths.setdefault(route.path, {})[route.method] = operation(route, schemas)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tillflow",
            "version": project["version"],
            "summary": project["description"],
            "description": ABOUT,
        },
        # Relative to where this document is served, whatever the stage or the domain.
        "servers": [{"url": ".", "description": "The stack that serves this document."}],
        "tags": [{"name": name, "description": _about(name)} for name in dict.fromkeys(route.context for route in served)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": _shared_refusals(served),
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _types(route: Route) -> list[Any]:
    notes = route.notes
    answers = [kind for kind in notes["answers"].values() if not isinstance(kind, str)]
    return [*(notes[name] for name in ("body", "query", "path", "patch") if name in notes), *answers]


def _shared_refusals(served: list[Route]) -> Json:
    shared: Json = {}
    for route in served:
        for status, refusals in refusals_of(route).items():
            if len(refusals) == 1 and status not in route.notes["answers"]:
                shared[component(refusals[0])] = refusal(refusals)
    return dict(sorted(shared.items()))


def _about(context: str) -> str:
    try:
        words = importlib.import_module(f"tillflow.contexts.{context}").__doc__ or ""
    except ModuleNotFoundError:
        return SYSTEM
    about = words.partition(": ")[2]
    return about[:1].upper() + about[1:]
