"""What administrators do about schemas of event types: register the next version, one that exists, one that breaks readers."""

from typing import Any

from tests.simulation.scene import Evening, Request, Scene
from tillflow.contexts.eventflow.tables import version_of
from tillflow.storage.attributes import Item

REGISTER = "PUT /api/v1/event-types/{type}/versions/{version}"
OVERRIDDEN = "eventflow.schema_overridden.v1"
# Nobody sends events of these.
_TYPES = ("shelf.counted", "shelf.moved")
_CODES = frozenset({"SCHEMA_VERSION_CONFLICT", "SCHEMA_INCOMPATIBLE"})


def schema(kind: str = "integer") -> dict[str, Any]:
    """Return a schema that says of what *kind* a shelf's number is."""
    return {"type": "object", "properties": {"shelf": {"type": kind}}, "required": ["shelf"]}


def registers(scene: Scene) -> Request:
    """Return the request of an administrator to register some version, overriding what speaks against it now and then."""
    dice = scene.dice
    path = {"type": dice.choice(_TYPES), "version": str(dice.choice((1, 1, 2, 2, 3)))}
    query = {"override": "true", "reason": "Nobody reads it"} if dice.random() < 0.3 else None
    wanted = schema(dice.choice(("integer", "number", "string"))) | {"maxProperties": dice.choice((3, 4))}
    return Request(REGISTER, "an-admin", "admin", wanted, path=path, query=query, codes=_CODES)


def versions(items: list[Item]) -> dict[str, dict[int, Item]]:
    """Return the schemas among *items* by type and version."""
    found: dict[str, dict[int, Item]] = {}
    for item in items:
        if item["pk"].startswith("TYPE#"):
            event_type, version = version_of(item)
            found.setdefault(event_type, {})[version] = item
    return found


def schemas_are_as_told(evening: Evening) -> None:
    """Versions have no gaps, the newest is listed, each moved the stamp; who was told so finds theirs; overrides are told."""
    items = evening.items("EventFlowTable")
    stored = versions(items)
    for event_type, known in stored.items():
        assert sorted(known) == list(range(1, len(known) + 1)), f"{event_type} has a gap"
        assert [version for version, item in known.items() if "listed" in item] == [len(known)], (
            f"{event_type} is not listed as it is"
        )
    stamp = sum(item.get("stamp", 0) for item in items if item["pk"] == "SCHEMAS")
    assert stamp == sum(map(len, stored.values())), "the stamp has not moved with the schemas"
    for sent in evening.sent(REGISTER):
        path = sent.request.path or {}
        if sent.succeeded:
            assert int(path["version"]) in stored[path["type"]], f"{sent.number} was told of a version that there is not"
            assert sent.body["schema"] == sent.request.body
    broken = {
        (event_type, version) for event_type, known in stored.items() for version, item in known.items() if "breaks" in item
    }
    told = [event["detail"]["data"] for event in evening.published if event["detail-type"] == OVERRIDDEN]
    assert {(each["registered_type"], each["registered_version"]) for each in told} == broken, "an override was not told"
