"""Consumers of events, as tests need them: registered by a service, and read by pollers."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.world import Answer, World

_ALL = "/api/v1/consumers"
_ONE = f"{_ALL}/{{id}}"

type Json = dict[str, Any]


@dataclass
class Consumer:
    """A consumer in *world*, as one of its pollers sees it; *poller* is what its fetches say, to tell it from others."""

    world: World
    consumer_id: str
    poller: dict[str, str] = field(default_factory=dict)

    def another(self, poller: str) -> "Consumer":
        """Return the same as another poller sees it."""
        return Consumer(self.world, self.consumer_id, {"poller": poller})

    def call(self, method: str, route: str = "", body: Json | None = None, **parts: Any) -> Answer:
        """Send a request about it: *route* is what follows its id."""
        path = {"id": self.consumer_id} | parts.pop("path", {})
        return self.world.call(f"{method} {_ONE}{route}", user="service", roles=["service"], body=body, path=path, **parts)

    def fetch(self, **query: object) -> Json:
        """Fetch up to ten events."""
        answer = self.call("GET", "/events", query=self.poller | {name: str(value) for name, value in query.items()})
        assert answer.status == 200, answer
        told: Json = answer.json
        assert len(told["events"]) == len(told["ack"])
        return told

    def ids(self, **query: object) -> list[str]:
        """Return the ids of the events of a fetch."""
        return [each["event_id"] for each in self.fetch(**query)["events"]]

    def tell(self, what: str, tokens: list[str], **more: object) -> list[Json]:
        """Have done with events (`ack`), give them back (`nack`) or take longer (`extend`), and return what became of each."""
        answer = self.call("POST", f"/{what}", {"ack": tokens, **more})
        assert answer.status == 200, answer
        told: list[Json] = answer.json["results"]
        return told

    def shown(self) -> Json:
        """Return it as it is shown."""
        told: Json = self.call("GET").json
        return told


def register(world: World, *types: str, key: str | None = None, **fields: object) -> Answer:
    """Register a consumer that wants these types (all)."""
    body = {"name": "Ledger", "subscribed_event_types": list(types) or ["*"]} | fields
    headers = {"Idempotency-Key": key} if key else {}
    return world.call(f"POST {_ALL}", user="service", roles=["service"], body=body, headers=headers)


def add(world: World, *types: str, **fields: Any) -> Consumer:
    """Return a new consumer that wants these types (all)."""
    answer = register(world, *types, **fields)
    assert answer.status == 201, answer
    return Consumer(world, answer.json["consumer_id"])


def bury(consumer: Consumer) -> int:
    """Let what waits for a consumer be taken for what was delivered too often; return how many events that is."""
    events = consumer.fetch(limit=100)["events"]
    pointers = [{name: each[name] for name in ("event_id", "event_type", "producer_id", "replayed")} for each in events]
    records = [
        {
            "messageId": str(number),
            "body": json.dumps(pointer | {"consumer_id": consumer.consumer_id}),
            "attributes": {"SentTimestamp": str(1_770_726_896_000 + number)},
        }
        for number, pointer in enumerate(pointers)
    ]
    assert consumer.world.invoke("eventflow/keep_dead_letters", {"Records": records}) == {"batchItemFailures": []}
    return len(records)
