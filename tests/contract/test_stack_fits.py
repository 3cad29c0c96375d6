"""Every stack fits AWS, with room: what CloudFormation, API Gateway and EventBridge allow, held after SAM has spread it."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache

import boto3
import pytest
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped] # ships no types
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped] # ships no types

from tests import template
from tests.template import Data

# AWS: 500 resources a stack (fifty are left for what SAM may add), 1 MB of template, 200 outputs, 200 parameters; 300
# resources (parts of paths) an API; 300 rules an event bus. None of the first four can be raised.
MOST_RESOURCES, MOST_BYTES, MOST_OUTPUTS, MOST_PARAMETERS = 450, 1_000_000, 200, 200
MOST_PATH_PARTS = MOST_RULES = 300
LOCAL_PATHS = ("CodeUri", "ContentUri", "DefinitionUri")

type Record = Callable[[str, object], None]

TEMPLATES = sorted({template.ROOT_TEMPLATE, *(f"stacks/{path.name}" for path in (template.ROOT / "stacks").iterdir())})


@cache
def spread(path: str) -> Data:
    """Return a template as CloudFormation gets it from SAM."""
    return translated(template.written(path))


def translated(written: Data) -> Data:
    made = deepcopy(written)
    if "Transform" not in made:
        return made
    for resource in made["Resources"].values():
        for name in LOCAL_PATHS:
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = "s3://bucket/key"  # where `sam deploy` puts it
    defaults = {name: str(each.get("Default", "")) for name, each in made["Parameters"].items()}
    spread: Data = Translator({}, Parser(), [], boto3.Session(region_name="us-east-1")).translate(made, defaults)
    return spread


def figures(path: str) -> dict[str, tuple[int, int]]:
    """Return what a stack takes of each limit, and the limit."""
    made = spread(path)
    return {
        "resources": (len(made["Resources"]), MOST_RESOURCES),
        "bytes": (len(json.dumps(made)), MOST_BYTES),
        "outputs": (len(made.get("Outputs", {})), MOST_OUTPUTS),
        "parameters": (len(made["Parameters"]), MOST_PARAMETERS),
    }


@pytest.mark.parametrize("path", TEMPLATES)
def test_a_stack_fits(path: str, record_property: Record) -> None:
    used = figures(path)

    record_property("measured", f"{path}: {', '.join(f'{count:,} {what} of {most:,}' for what, (count, most) in used.items())}")
    assert {what: count for what, (count, most) in used.items() if count > most} == {}


def test_every_template_is_part_of_the_stack() -> None:
    nested = {each["Properties"]["TemplateURL"] for each in stacks()}

    assert {template.ROOT_TEMPLATE, *nested} == set(TEMPLATES)


def stacks() -> Iterator[Data]:
    """Yield every nested stack, as the root declares it."""
    yield from (each for each in spread(template.ROOT_TEMPLATE)["Resources"].values() if each["Type"] == template.NESTED)


def test_the_api_fits(record_property: Record) -> None:
    parts = path_parts(spread(template.ROOT_TEMPLATE)["Resources"]["Api"]["Properties"]["Body"])

    record_property("measured", f"the API: {len(parts)} resources of {MOST_PATH_PARTS}")
    assert len(parts) <= MOST_PATH_PARTS


def path_parts(body: Data) -> set[str]:
    """Return every path that API Gateway has a resource for: a path's own, and each that leads there."""
    ways = [path.rstrip("/").split("/") for path in body["paths"]]
    return {"/".join(parts[:length]) for parts in ways for length in range(1, len(parts) + 1)}


def test_the_bus_s_rules_fit(record_property: Record) -> None:
    everywhere = [template.ROOT_TEMPLATE, *(each["Properties"]["TemplateURL"] for each in stacks())]
    rules = [
        each["Properties"]
        for path in everywhere
        for each in spread(path)["Resources"].values()
        if each["Type"] == "AWS::Events::Rule" and "EventBusName" in each["Properties"]
    ]

    record_property("measured", f"the bus: {len(rules)} rules of {MOST_RULES}")
    assert len(rules) <= MOST_RULES


# --- room to grow: what the root will be when all that is planned has moved in -----------------------------------------

FUNCTIONS, ROUTES, CONSUMERS, STREAMS, SAGAS, STEPS, SCHEDULES = 160, 180, 25, 14, 4, 24, 6


def test_the_root_has_room_for_all_that_is_planned(record_property: Record) -> None:
    made = translated(grown())
    functions = sum(each["Type"] == "AWS::Lambda::Function" for each in made["Resources"].values())
    count, size = len(made["Resources"]), len(json.dumps(made))

    record_property("measured", f"template.yaml at {functions} functions, {ROUTES} routes: {count} resources, {size:,} bytes")
    assert functions == FUNCTIONS
    assert count <= MOST_RESOURCES
    assert size <= MOST_BYTES


def grown() -> Data:
    """Return the root with as much of everything as is planned, each a copy of what there is of its kind."""
    made: Data = deepcopy(template.written(template.ROOT_TEMPLATE))
    resources = made["Resources"]

    def copy(original: str, number: int) -> None:
        for each in range(number):
            resources[f"{each}{original}"] = deepcopy(resources[original])

    for original in ("OnInventoryReleaseRequestedFunction", "ReleaseRequests"):
        copy(original, CONSUMERS - 2)
    copy("OrderSaga", SAGAS - 1)
    copy("CompleteOrderFunction", STEPS - 6)
    triggers = [
        each for properties in template.resources(template.FUNCTION).values() for each in properties.get("Events", {}).values()
    ]
    copy("ResumeStuckOrdersFunction", SCHEDULES - sum(each["Type"] == "Schedule" for each in triggers))
    copy("GetOrderFunction", FUNCTIONS - sum(each["Type"] == template.FUNCTION for each in resources.values()))
    streams = resources["PublishEventsFunction"]["Properties"]["Events"]
    streams |= {f"{each}": streams["Orders"] for each in range(STREAMS - len(streams))}
    paths = resources["Api"]["Properties"]["DefinitionBody"]["paths"]
    there = sum(map(len, paths.values()))
    paths |= {f"/v{each}": deepcopy(paths["/orders/{orderId}"]) for each in range(ROUTES - there)}
    return made
