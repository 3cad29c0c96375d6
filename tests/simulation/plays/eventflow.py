"""What producers of events do: send, send again, send many at once; and what administrators do about it."""

from typing import Any

from tests.simulation.scene import Evening, Request, Scene
from tillflow.contexts.eventflow.eventlog import of_item
from tillflow.values import ids

SEND, SEND_MANY, ERASE = "POST /api/v1/events", "POST /api/v1/events/batch", "DELETE /api/v1/events/{id}/payload"
PRODUCER_ID = "3b9d1c52-7c0f-4c1e-9a53-0c8f2d7b6a11"
# What the authorizer tells of it.
TOLD = {"scopes": "events:write", "producer_id": PRODUCER_ID, "rate": "1000", "stamp": "0"}
_TYPES = ("till.opened", "till.closed")
_TOO_MANY = frozenset({"TOO_MANY_EVENTS"})


def _event(scene: Scene) -> dict[str, Any]:
    return {"event_type": scene.dice.choice(_TYPES), "event_version": 1, "payload": {"till": scene.dice.randrange(3)}}


def some_key(scene: Scene) -> str:
    """Return a key that a producer may have sent an event under."""
    return f"k-{scene.dice.randrange(12)}"


def sends(scene: Scene) -> Request:
    """Return the request of a producer to take an event in, under a key more often than not: some were used before."""
    key = some_key(scene) if scene.dice.random() < 0.8 else None
    return Request(SEND, PRODUCER_ID, "", _event(scene), key=key, codes=_TOO_MANY, told=TOLD)


def sends_many(scene: Scene) -> Request:
    """Return the request of a producer to take some events in at once."""
    events = [_event(scene) | {"idempotency_key": f"b-{some_key(scene)}"} for _ in range(scene.dice.randrange(1, 6))]
    return Request(SEND_MANY, PRODUCER_ID, "", {"events": events}, codes=_TOO_MANY, told=TOLD)


def erases(scene: Scene) -> Request:
    """Return the request of an administrator to erase what an event says, which there may not be."""
    event_id = ids.derived("event", f"{PRODUCER_ID}:{some_key(scene)}")
    return Request(ERASE, "an-admin", "admin", path={"id": event_id}, codes=frozenset({"EVENT_NOT_FOUND"}))


def makes_producer(scene: Scene) -> Request:
    """Return the request of an administrator to have another producer."""
    return Request("POST /api/v1/producers", "an-admin", "admin", {"name": f"Producer {scene.number}"})


def events_are_as_told(evening: Evening) -> None:
    """Who was told that an event is accepted finds it stored and published; what is stored somebody has sent."""
    stored = {
        event.event_id: event for event in (of_item(item) for item in evening.items("EventsTable") if item["sk"] == "EVENT")
    }
    ours = {event_id for event_id, event in stored.items() if event.producer_id == PRODUCER_ID}
    told: set[str] = set()
    for sent in evening.history:
        if sent.request.route == SEND and sent.succeeded:
            told.add(sent.body["event_id"])
        elif sent.request.route == SEND_MANY and sent.succeeded:
            told |= {each["event_id"] for each in sent.body["results"] if each["status"] == "ACCEPTED"}
    assert told <= ours, "an event was accepted and is not there"
    published = {event["detail"]["event_id"] for event in evening.published}
    assert ours <= published, "an event was accepted and never published"
    asked = [sent.request for sent in evening.history if sent.request.route in (SEND, SEND_MANY)]
    keys = {request.key for request in asked if request.route == SEND}
    keys |= {
        each["idempotency_key"] for request in asked if request.route == SEND_MANY for each in (request.body or {})["events"]
    }
    keyed = {ids.derived("event", f"{PRODUCER_ID}:{key}") for key in keys if key}
    unkeyed = sum(request.route == SEND and request.key is None for request in asked)
    # (A request without a key that was lost on its way back may have been sent, and stored, again.)
    assert len(ours - keyed) <= 10 * unkeyed, "there are events that nobody sent"
    erased = {
        sent.request.path["id"]
        for sent in evening.history
        if sent.request.route == ERASE and sent.succeeded and sent.request.path
    }
    assert all(stored[event_id].payload is None for event_id in erased), "what was erased is there"
