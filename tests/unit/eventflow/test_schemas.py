"""Registering the schemas of event types, and holding events to them."""

from typing import Any

import pytest

from tests.metering import metered
from tests.world import World
from tillflow.contexts.eventflow import bounds, registering, schemas, tables
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.contexts.eventflow.schemas import SchemaViolation, UnknownEventVersion
from tillflow.messaging.envelope import Cause
from tillflow.storage import database
from tillflow.values import ids

TYPE = "till.closed"
V1: dict[str, Any] = {"type": "object", "properties": {"till": {"type": "integer"}}, "required": ["till"]}
V2 = {**V1, "properties": {"till": {"type": "integer"}, "by": {"type": "string"}}}
ELSE = {**V1, "properties": {"till": {"type": "string"}}}


def put(world: World, schema: Any, version: object = 1, event_type: str = TYPE, **query: str) -> Any:
    path = {"type": event_type, "version": str(version)}
    return world.call("PUT /api/v1/event-types/{type}/versions/{version}", path=path, body=schema, query=query, roles=["admin"])


def stamp() -> int:
    found = database.get(tables.eventflow(), tables.stamp_key())
    return found["stamp"] if found else 0


def test_versions_are_registered_one_after_the_other_and_the_same_again_is_no_other(world: World) -> None:
    assert put(world, V1).status == 201
    assert put(world, V2, 2).status == 201
    answers = [put(world, V1), put(world, V2, 2)]

    assert [(each.status, each.json["schema"]) for each in answers] == [(200, V1), (200, V2)]
    assert stamp() == 2
    assert world.events() == []


@pytest.mark.parametrize(
    ("schema", "version", "words"), [(V2, 1, "another schema"), (V2, 3, "The next version"), ({"const": 1}, 3, "next")]
)
def test_a_version_neither_changes_nor_leaves_a_gap(world: World, schema: Any, version: int, words: str) -> None:
    put(world, V1)

    answer = put(world, schema, version)

    assert (answer.status, answer.json["error_code"]) == (409, "SCHEMA_VERSION_CONFLICT")
    assert words in answer.json["message"]


def test_a_version_that_earlier_consumers_may_not_understand_is_refused_with_every_reason(world: World) -> None:
    put(world, V1)
    put(world, V2, 2)

    answer = put(world, ELSE, 3)

    assert (answer.status, answer.json["error_code"]) == (409, "SCHEMA_INCOMPATIBLE")
    assert [each["version"] for each in answer.json["reasons"]] == [1, 2]
    assert "override=true" in answer.json["message"]
    assert stamp() == 2


def test_an_override_is_told_with_its_reason_and_by_whom(world: World) -> None:
    put(world, V1)
    put(world, V2, 2)

    assert put(world, ELSE, 3, override="true", reason="Nobody reads it").json["override"] == {
        "reason": "Nobody reads it",
        "breaks": [1, 2],
    }

    (event,) = world.events("eventflow.schema_overridden.v1")
    data = {"registered_type": TYPE, "registered_version": 3, "breaks": [1, 2], "reason": "Nobody reads it", "user_id": "user-1"}
    assert event["data"] == data
    assert put(world, ELSE, 3).status == 200, "it is what it is"
    assert put(world, ELSE | {"maxProperties": 5}, 4).json["reasons"][0]["version"] == 1, "the earlier readers are still there"


def test_nothing_is_overridden_where_nothing_had_to_be(world: World) -> None:
    put(world, V1)

    assert put(world, V2, 2, override="true", reason="To be sure").json["override"] is None
    assert world.events() == []


@pytest.mark.parametrize(
    "query", [{"override": "true"}, {"reason": "Because"}, {"override": "true", "reason": ""}, {"force": "1"}]
)
def test_who_overrides_says_why(world: World, query: dict[str, str]) -> None:
    assert put(world, V1, **query).status == 400


@pytest.mark.parametrize(
    ("event_type", "version", "schema", "status"),
    [
        ("OrderCreated", 1, V1, 403),
        ("tillflow.mine", 1, V1, 403),
        ("a b", 1, V1, 400),
        (TYPE, 0, V1, 400),
        (TYPE, "one", V1, 400),
        (TYPE, 1, {"type": "objekt"}, 400),
        (TYPE, 1, {"$ref": "https://elsewhere.example/a.json"}, 400),
        (TYPE, 1, [V1], 400),
        (TYPE, 1, None, 400),
    ],
)
def test_what_is_no_schema_of_ones_own_type_is_refused(
    world: World, event_type: str, version: object, schema: Any, status: int
) -> None:
    assert put(world, schema, version, event_type).status == status
    assert stamp() == 0


def test_a_type_has_a_hundred_versions_at_most(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registering, "MAX_VERSIONS", 1)
    put(world, V1)

    assert "at most" in put(world, V2, 2).json["message"]


def test_types_are_listed_by_name_with_their_newest_version(world: World) -> None:
    for name in ("b", "a", "a.b", "c"):
        put(world, V1, event_type=name)
    put(world, V2, 2, "a")
    token, seen = None, []
    while True:
        page = registering.page(ListQuery(limit=2, next_token=token))
        seen += [(each["event_type"], each["version"]) for each in page["items"]]
        if (token := page["next_token"]) is None:
            break

    assert seen == [("a", 2), ("a.b", 1), ("b", 1), ("c", 1)]


def test_what_is_not_registered_is_not_shown(world: World) -> None:
    assert world.call("GET /api/v1/event-types/{type}", path={"type": TYPE}, roles=["operator"]).status == 404
    path = {"type": TYPE, "version": "1"}
    assert world.call("GET /api/v1/event-types/{type}/versions/{version}", path=path, roles=["operator"]).status == 404


def test_a_registered_type_is_held_to_its_versions(world: World) -> None:
    put(world, V1)

    schemas.check(TYPE, 1, {"till": 1}, stamp())
    with pytest.raises(SchemaViolation, match=r"payload\.till: it is not of type"):
        schemas.check(TYPE, 1, {"till": "one"}, stamp())
    with pytest.raises(UnknownEventVersion, match="no version 2; registered: 1"):
        schemas.check(TYPE, 2, {"till": 1}, stamp())
    schemas.check("till.opened", 1, {"anything": "goes"}, stamp())


def test_what_a_process_knows_of_a_type_holds_until_the_stamp_moves(world: World) -> None:
    put(world, V1, event_type="another")
    with metered() as meter:
        for _ in range(3):
            schemas.check(TYPE, 1, {"till": "one"}, stamp=1)
            schemas.check("another", 1, {"till": 1}, stamp=1)
    assert sorted(meter.calls) == ["get_item", "get_item", "query"], "for what is registered one read, for what is not another"

    put(world, V1)
    schemas.check(TYPE, 1, {"till": "one"}, stamp=1)
    with pytest.raises(SchemaViolation):
        schemas.check(TYPE, 1, {"till": "one"}, stamp())


def test_nothing_is_read_where_nothing_is_registered(world: World) -> None:
    del world
    with metered() as meter:
        schemas.check(TYPE, 1, {}, stamp=0)
    assert meter.calls == []


def test_the_product_s_own_types_are_published_as_they_are(world: World) -> None:
    del world
    cause = Cause("deployment", (), ids.new())
    assert registering.publish({"OrderCreated": V1, "OrderPlaced": V1}, cause) == 2
    assert registering.publish({"OrderCreated": V1, "OrderPlaced": V1}, cause) == 0
    assert stamp() == 1
    assert registering.publish({"OrderCreated": V2, "OrderPlaced": V1}, cause) == 1
    assert registering.show("OrderCreated", 1)["schema"] == V2
    assert bounds.DIALECT not in registering.show("OrderPlaced", 1)["schema"].values()
