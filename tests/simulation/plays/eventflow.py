"""What producers of events do: send, send again, send many at once; and what administrators do about it."""

from typing import Any

from tests.simulation.scene import Evening, Request, Scene
from tillflow.contexts.eventflow import tables
from tillflow.contexts.eventflow.eventlog import of_item
from tillflow.contexts.identity import machines
from tillflow.contexts.identity import tables as identity
from tillflow.storage import batch
from tillflow.values import clock, ids

SEND, SEND_MANY, ERASE = "POST /api/v1/events", "POST /api/v1/events/batch", "DELETE /api/v1/events/{id}/payload"
PRODUCER_ID = "3b9d1c52-7c0f-4c1e-9a53-0c8f2d7b6a11"
# What the authorizer tells of it.
TOLD = {"scopes": "events:write", "producer_id": PRODUCER_ID, "rate": "1000", "stamp": "0"}
KEPT_ID, KEPT_KEY_ID = ids.derived("producer", "kept"), ids.derived("key", "kept")
KEEPING = (
    "PATCH /api/v1/producers/{id}",
    "POST /api/v1/producers/{id}/disable",
    "POST /api/v1/producers/{id}/enable",
    "POST /api/v1/producers/{id}/keys",
    "DELETE /api/v1/producers/{id}/keys/{keyId}",
)
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


def keeps_producer(scene: Scene) -> Request:
    """Return the request of an administrator to change something about a producer that moved in before."""
    route = scene.dice.choice(KEEPING)
    path = {"id": KEPT_ID} | ({"keyId": KEPT_KEY_ID} if "{keyId}" in route else {})
    body = {"rate": 7} if route.startswith("PATCH") else {}
    return Request(route, "an-admin", "admin", body, path, codes=frozenset({"CREDENTIAL_NOT_FOUND"}))


def move_in() -> None:
    """Let there be a producer, and its key."""
    made = {"created_at": clock.EARLIEST, "created_by": "an-admin"}
    listed = {"listed": tables.PRODUCERS, "listed_as": tables.listed_as(clock.EARLIEST, KEPT_ID)}
    known = tables.producer_key(KEPT_ID) | {"name": "Kept", "disabled": False} | made | listed
    batch.put("EventFlowTable", [known])
    key = {"kind": machines.API_KEY, "owner": KEPT_ID, "name": "first", "scopes": ["events:write"], "digest": b""}
    listed = {"listed": identity.machines_listed(machines.API_KEY, KEPT_ID), "listed_as": clock.EARLIEST}
    batch.put("IdentityTable", [identity.machine_key(KEPT_KEY_ID) | key | made | listed])


def producers_keys_are_as_told(evening: Evening) -> None:
    """A key that somebody was told of is kept, and one that was revoked stays so."""
    keys = {identity.machine_id_of(item): item for item in evening.items("IdentityTable") if item.get("owner") == KEPT_ID}
    for sent in evening.history:
        if sent.request.route == KEEPING[3] and sent.succeeded:
            assert sent.body["id"] in keys, "a key was shown that is not kept"
        if sent.request.route == KEEPING[4] and sent.succeeded:
            assert "revoked_at" in keys[KEPT_KEY_ID], "what was revoked opens doors"


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
