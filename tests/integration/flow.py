"""Producers and consumers of events, as they talk to a deployed stack."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from local.wait import until
from tests.integration.behind import SECONDS
from tests.integration.scene import Caller, Scene, unique

_ALL = "/api/v1/consumers"

type Json = dict[str, Any]


@dataclass(frozen=True)
class Producer:
    """A producer, which sends events of a type that nobody else sends."""

    http: httpx.Client
    event_type: str

    def send(self, number: int = 1, size: int = 0) -> list[str]:
        """Send so many events, each with a payload of *size* bytes at least; return their ids."""

        def one(each: int) -> str:
            body = {"event_type": self.event_type, "event_version": 1, "payload": {"number": each, "text": "x" * size}}
            answer = self.http.post("/api/v1/events", json=body)
            assert answer.status_code == 202, answer.text
            return str(answer.json()["event_id"])

        with ThreadPoolExecutor(4) as threads:
            return list(threads.map(one, range(number)))


@dataclass(frozen=True)
class Consumer:
    """A consumer, as an internal service talks to it."""

    caller: Caller
    consumer_id: str

    @property
    def path(self) -> str:
        return f"{_ALL}/{self.consumer_id}"

    def fetch(self, **params: str | int) -> Json:
        answer = self.caller.get(f"{self.path}/events", **params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def tell(self, what: str, tokens: list[str], **more: int) -> list[str]:
        """Say what has become of events; return what is answered of each."""
        answer = self.caller.post(f"{self.path}/{what}", {"ack": tokens, **more})
        assert answer.status_code == 200, answer.text
        return [each["status"] for each in answer.json()["results"]]

    def shown(self) -> Json:
        return dict(self.caller.get(self.path).json())

    def gets(self, expected: Iterable[str], **params: str | int) -> list[Json]:
        """Fetch until each of the *expected* events has come; return all that did."""
        missing, came = set(expected), list[Json]()

        def complete() -> bool | None:
            events = self.fetch(wait=2, **params)["events"]
            came.extend(events)
            missing.difference_update(each["event_id"] for each in events)
            return None if missing else True

        until(complete, seconds=SECONDS, what=f"{len(missing)} events")
        return came


def register(scene: Scene, producer: Producer, **fields: object) -> Consumer:
    """Register a consumer of what *producer* sends."""
    body = {"name": "A ledger", "subscribed_event_types": [f"{producer.event_type[:8]}*", producer.event_type]}
    answer = scene.service.post(_ALL, body | fields)
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "ACTIVE"
    return Consumer(scene.service, answer.json()["consumer_id"])


def producer_in(scene: Scene) -> Producer:
    """Return a new producer."""
    made = scene.admin.post("/api/v1/producers", {"name": unique("tills")})
    assert made.status_code == 201, made.text
    scene.secrets.append(made.json()["api_key"])
    return Producer(scene.connect({"X-Api-Key": made.json()["api_key"]}), unique("till"))
