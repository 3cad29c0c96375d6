"""Every route: what is noted of it, its words, and the credential that it demands."""

import importlib.util
import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped] # it knows CloudFormation's tags; ships no types

from local import ROOT
from tillflow.web.authorization import FRESH, PUBLIC, ROUTES, credentials_of
from tillflow.web.openapi import NOTED, Notes

type Json = dict[str, Any]

FUNCTIONS = ROOT / "functions"
NO_AUTHORIZER = "NONE"
# The template's authorizers, by the headers that they take; and those that keep no answer in their place.
_AUTHORIZERS = {
    ("authorization",): "Bearer",
    ("authorization", "x-service-token"): "AnyCredential",
    ("x-api-key",): "ApiKey",
}
_FRESH = {"Bearer": "Fresh", "AnyCredential": "AnyCredential"}


@dataclass(frozen=True)
class Route:
    """
    One route of the API.

    *served_by* is its function (`orders/create_order`); *aliased* that function's first route where this is another one;
    *sample* the event that is committed for it.
    """

    method: str
    path: str
    demand: str
    authorizer: str
    notes: Notes
    served_by: str
    context: str
    name: str
    text: str
    aliased: str | None
    sample: Json

    @property
    def operation_id(self) -> str:
        """The handler's name in camel case; an alias says which of its function's it is."""
        first, *others = self.name.split("_")
        return first + "".join(map(str.title, others)) + ("Alias" if self.aliased else "")

    @property
    def by_api(self) -> bool:
        """Whether `http.Api` serves it, with all that it adds to answers, and its refusals."""
        return "invalid" in self.notes

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return [part.strip("{}") for part in self.path.split("/") if part.startswith("{")]

    @cached_property
    def example(self) -> Any:
        """The sample's body, or None."""
        if "text" in self.notes:
            return self.sample["body"]
        return json.loads(self.sample.get("body") or "null") if {"body", "patch"} & self.notes.keys() else None


def routes() -> list[Route]:
    """Return every route that the authorization page has, in its order."""
    for path in sorted(FUNCTIONS.glob("*/*.py")):
        _load(path)
    return [_route(route, demand) for route, demand in ROUTES.items()]


def _route(route: str, demand: str) -> Route:
    function, notes = NOTED[route]
    path = Path(function.__code__.co_filename)
    method, _, template = route.partition(" ")
    first = next(each for each, (served_by, _) in NOTED.items() if served_by is function)
    about = prose(_load(path).__doc__ or "").partition(": ")[2]
    return Route(
        method=method.lower(),
        path=template,
        demand=demand,
        authorizer=_authorizer(route, demand),
        notes=notes,
        served_by=f"{path.parent.name}/{path.stem}",
        context=path.parent.name,
        name=function.__name__,
        text=f"{about[:1].upper()}{about[1:]}\n\n{prose(function.__doc__ or '')}",
        aliased=first if first != route else None,
        sample=json.loads((ROOT / "events" / path.parent.name / f"{path.stem}.json").read_text()),
    )


def _authorizer(route: str, demand: str) -> str:
    """Return the template's authorizer of a route."""
    if demand == PUBLIC:
        return NO_AUTHORIZER
    keeps = _AUTHORIZERS[credentials_of(route)]
    return _FRESH[keeps] if route in FRESH else keeps


def prose(docstring: str) -> str:
    """Return a docstring as API documentation: contracts are this project's own business."""
    return re.sub(r"\s\(contracts?: [^)]*\)", "", inspect.cleandoc(docstring))


@cache
def _load(path: Path) -> Any:
    """Import a function's file, which notes its routes."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def template() -> Mapping[str, Any]:
    """Return the resources of template.yaml."""
    resources: Mapping[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
    return resources
