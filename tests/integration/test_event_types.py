"""Event types on a deployed stack: what is registered holds at the door at once, with the layer and the prover's own process."""

from typing import Any

import httpx

from tests.integration.flow import Producer
from tests.integration.scene import Scene, refused

SCHEMA = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}


def put(scene: Scene, event_type: str, version: int, schema: Any, **query: str) -> httpx.Response:
    return scene.admin.http.put(f"/api/v1/event-types/{event_type}/versions/{version}", json=schema, params=query)


def send(producer: Producer, version: int, payload: object) -> httpx.Response:
    body = {"event_type": producer.event_type, "event_version": version, "payload": payload}
    return producer.http.post("/api/v1/events", json=body)


def test_a_schema_holds_from_its_answer_on(scene: Scene, producer: Producer) -> None:
    assert send(producer, 1, {"number": "one"}).status_code == 202, "nobody has said what it is"

    assert put(scene, producer.event_type, 1, SCHEMA).status_code == 201

    assert send(producer, 1, {"number": 1}).status_code == 202
    assert "payload.number: it is not of type" in refused(send(producer, 1, {"number": "one"}), 400)["message"]
    assert "registered: 1" in refused(send(producer, 2, {"number": 1}), 400)["message"]


def test_what_earlier_consumers_may_not_understand_needs_a_reason(scene: Scene, producer: Producer) -> None:
    put(scene, producer.event_type, 1, SCHEMA)
    other = {**SCHEMA, "properties": {"number": {"type": "string"}}}

    assert put(scene, producer.event_type, 2, SCHEMA | {"maxProperties": 3}).status_code == 201
    body = refused(put(scene, producer.event_type, 3, other), 409)
    assert [each["version"] for each in body["reasons"]] == [1, 2]

    told = put(scene, producer.event_type, 3, other, override="true", reason="Nobody reads it")
    assert told.status_code == 201
    assert told.json()["override"] == {"reason": "Nobody reads it", "breaks": [1, 2]}


def test_the_product_s_own_types_are_registered_by_the_deployment(scene: Scene) -> None:
    listed = {each["event_type"] for each in scene.operator.get("/api/v1/event-types", limit=100).json()["items"]}

    assert {"OrderCreated", "orders.order_placed.v1", "eventflow.schema_overridden.v1"} <= listed
    refused(put(scene, "OrderCreated", 2, {}), 403)
