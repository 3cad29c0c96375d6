"""Producers of events, as tests need them: made by an administrator, sending with their key, through the real authorizer."""

import json
from dataclasses import dataclass
from typing import Any

from tests import messages
from tests.people import through_authorizer
from tests.world import Answer, World


@dataclass
class Producer:
    """A producer in *world*, and its key."""

    world: World
    producer_id: str
    key_id: str
    key: str

    def send(self, event_type: str = "till.opened", payload: object = None, **changes: Any) -> Answer:
        """Send an event; *changes*: its other fields, `idempotency_key` for the header and `headers` for others."""
        key = changes.pop("idempotency_key", None)
        headers = changes.pop("headers", {}) | ({"Idempotency-Key": key} if key else {})
        body = {"event_type": event_type, "event_version": 1, "payload": {} if payload is None else payload} | changes
        return self.post("POST /api/v1/events", body, **headers)

    def send_all(self, events: object, **headers: str) -> Answer:
        """Send a batch of events."""
        return self.post("POST /api/v1/events/batch", {"events": events}, **headers)

    def post(self, route: str, body: object, **headers: str) -> Answer:
        """Send a request with the key."""
        return through_authorizer(self.world, route, {"X-Api-Key": self.key} | headers, body)

    def revoked(self) -> str:
        """Revoke the key; return it."""
        path = {"id": self.producer_id, "keyId": self.key_id}
        assert self.world.call("DELETE /api/v1/producers/{id}/keys/{keyId}", roles=["admin"], path=path).status == 204
        return self.key

    def disabled(self) -> str:
        """Disable the producer; return its key."""
        path = {"id": self.producer_id}
        assert self.world.call("POST /api/v1/producers/{id}/disable", roles=["admin"], path=path).status == 200
        return self.key

    def deliver(self) -> list[str]:
        """Bring what the table's stream has over the bus to the router; return the ids of the messages that are to come again."""
        with self.world.bus() as published:
            records = [record for record in self.world.stream() if "outbox" in record["dynamodb"]["NewImage"]]
            self.world.invoke("outbox/publish_events", {"Records": records})
        bodies = [
            {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}
            for entry in published
        ]
        return messages.failed(self.world.invoke("eventflow/route_events", messages.batch(*bodies)))


def add(world: World, **fields: Any) -> Producer:
    """Make a producer."""
    made = world.call("POST /api/v1/producers", roles=["admin"], body={"name": "Point of sale"} | fields).json
    return Producer(world, made["producer_id"], made["key_id"], made["api_key"])
