"""The commands of schemas: a version is there once, listed and stamped, and an override is told."""

import json
from collections.abc import Mapping
from typing import Any

from local.docs import event_types
from local.shop.samples import sample
from tests.faults.client import send
from tests.faults.command import Act, Command
from tests.faults.world import World
from tests.simulation.plays import schemas as registering
from tests.simulation.plays.schemas import OVERRIDDEN, REGISTER, schema
from tests.simulation.scene import Play
from tillflow.runtime.config import setting

_TYPE = "till.closed"


def _register(version: int, wanted: dict[str, Any], query: Mapping[str, str] | None = None) -> Act:
    def run(world: World) -> None:
        path = {"type": _TYPE, "version": str(version)}
        said = send(world, REGISTER, wanted, role="admin", path=path, query=query)
        assert said["schema"] == wanted
        world.drain()

    return run


def _has_versions(*breaks: list[int] | None) -> Act:
    """Check that each version is there as it should be: of those before, it *breaks* these."""

    def check(world: World) -> None:
        items = world.items("EventFlowTable")
        known = registering.versions(items)[_TYPE]
        assert [known[version].get("breaks") for version in sorted(known)] == list(breaks)
        assert [version for version, item in known.items() if "listed" in item] == [len(breaks)]
        (stamp,) = (item["stamp"] for item in items if item["pk"] == "SCHEMAS")
        assert stamp == len(breaks)

    return check


def _set_up(kind: str) -> Act:
    """Ask as CloudFormation does, twice: Lambda keeps a request until it is done, and may have done it before."""

    def run(world: World) -> None:
        for _ in range(2):
            world.run_schedule("eventflow/set_up", sample("eventflow/set_up") | {"RequestType": kind})

    return run


def _has_own_types(world: World) -> None:
    items = world.items("EventFlowTable")
    assert registering.versions(items).keys() == json.loads(event_types.text()).keys()
    assert [item["stamp"] for item in items if item["pk"] == "SCHEMAS"] == [1]


def _have_queues(world: World) -> None:
    for number in range(3):
        world.wire.sqs.do("CreateQueue", {"QueueName": f"{setting('CONSUMER_QUEUES')}{number:032x}"})


def _has_no_queues(world: World) -> None:
    assert not world.wire.sqs.queues


COMMANDS = (
    Command("set EventFlow up", _set_up("Create"), also=_has_own_types),
    Command("take EventFlow down", _set_up("Delete"), _have_queues, also=_has_no_queues),
    Command(
        "register an event type",
        _register(1, schema()),
        also=_has_versions(None),
        plays=Play(registering.registers, often=1, holds=registering.schemas_are_as_told),
    ),
    Command(
        "register its next version",
        _register(2, schema() | {"maxProperties": 3}),
        _register(1, schema()),
        also=_has_versions(None, None),
    ),
    Command(
        "register a version that breaks readers",
        _register(2, schema("string"), {"override": "true", "reason": "Nobody reads it"}),
        _register(1, schema()),
        events={OVERRIDDEN: 1},
        also=_has_versions(None, [1]),
    ),
)
