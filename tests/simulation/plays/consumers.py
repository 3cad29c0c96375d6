"""What consumers of events do: register, fetch, say what they have done with, and be changed, paused and deleted."""

from datetime import timedelta
from typing import Any

from tests.faults import passing
from tests.simulation.plays.eventflow import PRODUCER_ID, some_key
from tests.simulation.scene import MARGIN_SECONDS, Evening, Request, Scene
from tillflow.contexts.eventflow.eventlog import of_item
from tillflow.contexts.eventflow.queues import MAX_DELIVERIES
from tillflow.storage.idempotency import LIFETIME_SECONDS
from tillflow.values import clock, ids
from tillflow.web import paging

REGISTER, ONE = "POST /api/v1/consumers", "/api/v1/consumers/{id}"
FETCH, REPLAY = f"GET {ONE}/events", f"POST {ONE}/replays"
_WHO = "a-service"
# One that only reads, and is never changed; one whose fetches acknowledge; and one for everything else.
_QUIET, _AUTO, _OTHER = "quiet", "auto", "other"
_LEASE_SECONDS = 1
_THERE = frozenset({"CONSUMER_NOT_FOUND", "CONSUMER_NOT_READY"})
_ENDED = frozenset({"ALREADY_REGISTERED"})


def consumer_id(user: str, key: str) -> str:
    """Return the id of the consumer that somebody has registered under a key."""
    return ids.derived("consumer", f"{user}\n{key}")


def _request(route: str, which: str, body: dict[str, Any] | None = None, codes: frozenset[str] = _THERE, **path: str) -> Request:
    return Request(route, _WHO, "service", body, path={"id": consumer_id(_WHO, which)} | path, codes=codes)


def registers(scene: Scene) -> Request:
    """Return the request of a service to have a consumer, which it may have had before."""
    which = scene.dice.choice((_QUIET, _AUTO, _OTHER))
    body = {
        "name": which,
        "subscribed_event_types": ["till.*"],
        "ack": "auto" if which == _AUTO else "manual",
        "lease_seconds": 1,
    }
    return Request(REGISTER, _WHO, "service", body, key=which, codes=_ENDED)


def fetches(scene: Scene) -> Request:
    """Return the request of a consumer for its next events."""
    return _request(FETCH, scene.dice.choice((_QUIET, _AUTO, _OTHER, _OTHER)))


def _tokens(scene: Scene) -> list[str]:
    """Return tokens as there may be: of leases that the fakes of queues may have given, and that are not over."""
    of = ("ack", consumer_id(_WHO, _OTHER))
    receipt = f"{scene.dice.randrange(1, 40)}.{scene.dice.randrange(1, 3)}"
    return [paging.token((ids.derived("event", receipt), receipt, "0", "9999999999999"), of)]


def acknowledges(scene: Scene) -> Request:
    """Return the request of a consumer that has done with an event."""
    return _request(f"POST {ONE}/ack", _OTHER, {"ack": _tokens(scene)})


def gives_back(scene: Scene) -> Request:
    """Return the request of a consumer that wants an event later."""
    return _request(f"POST {ONE}/nack", _OTHER, {"ack": _tokens(scene)})


def extends(scene: Scene) -> Request:
    """Return the request of a consumer that takes longer."""
    return _request(f"POST {ONE}/extend", _OTHER, {"ack": _tokens(scene), "seconds": 5})


def _of_letter(route: str, scene: Scene) -> Request:
    event_id = ids.derived("event", f"{PRODUCER_ID}:{some_key(scene)}")
    return _request(route, _OTHER, codes=_THERE | {"DEAD_LETTER_NOT_FOUND"}, eventId=event_id)


def redrives_one(scene: Scene) -> Request:
    """Return the request to give a consumer a dead letter again, which there seldom is."""
    return _of_letter(f"POST {ONE}/dead-letters/{{eventId}}/redrive", scene)


def redrives(_: Scene) -> Request:
    """Return the request to give a consumer all its dead letters again."""
    return _request(f"POST {ONE}/dead-letters/redrive", _OTHER)


def discards(scene: Scene) -> Request:
    """Return the request to forget a dead letter."""
    return _of_letter(f"DELETE {ONE}/dead-letters/{{eventId}}", scene)


def changes(scene: Scene) -> Request:
    """Return the request to change how long leases are."""
    return _request(f"PATCH {ONE}", _OTHER, {"lease_seconds": scene.dice.choice((1, 2))})


def looks(scene: Scene) -> Request:
    """Return the request for a consumer and what waits for it."""
    return _request(f"GET {ONE}", scene.dice.choice((_QUIET, _OTHER)))


def pauses(_: Scene) -> Request:
    """Return the request to pause a consumer."""
    return _request(f"POST {ONE}/pause", _OTHER)


def resumes(_: Scene) -> Request:
    """Return the request to resume a consumer."""
    return _request(f"POST {ONE}/resume", _OTHER)


def deletes(_: Scene) -> Request:
    """Return the request to delete a consumer."""
    return _request(f"DELETE {ONE}", _OTHER)


def consumers_have_their_events(evening: Evening) -> None:
    """What was accepted after a consumer was registered waits for it, is dead, or was acknowledged: the quiet one has it all."""
    quiet = consumer_id(_WHO, _QUIET)
    registered = [sent for sent in evening.sent(REGISTER) if sent.succeeded and sent.body["consumer_id"] == quiet]
    # Who sent another's body under its key has one whose fetches acknowledge.
    told = [sent.until for sent in registered if sent.body["ack"] == "manual"]
    since = clock.iso(passing.START + timedelta(seconds=min(told, default=float(LIFETIME_SECONDS * 365)) + MARGIN_SECONDS))
    stored = (of_item(item) for item in evening.items("EventsTable") if item["sk"] == "EVENT")
    expected = {each.event_id for each in stored if each.event_type.startswith("till.") and each.received_at > since}
    dead = {item["event_id"] for item in evening.items("EventFlowTable") if item["pk"] == f"DEAD#{quiet}"}
    assert expected <= dead | evening.queued(quiet), "an event was accepted after a consumer was registered, and is not its"
    # It never acknowledges anything: by tomorrow what it has is dead, and kept.
    for _ in range(MAX_DELIVERIES + 1 if told else 0):
        evening.ask(_request(FETCH, _QUIET))
        passing.wait(_LEASE_SECONDS)


def replays(scene: Scene) -> Request:
    """Return the request to give a consumer events again that it had, or its dead letters."""
    dice = scene.dice
    body: dict[str, Any] = {"from": clock.iso(passing.START)} if dice.random() < 0.7 else {"dead_only": True}
    body |= {"rate": dice.choice((2, 100)), "event_types": dice.choice((["till.*"], ["till.opened"]))}
    codes = _THERE | {"TOO_MANY_REPLAYS"}
    return Request(
        REPLAY, _WHO, "service", body, path={"id": consumer_id(_WHO, _OTHER)}, key=f"replay {scene.number}", codes=codes
    )


def stops_a_replay(_: Scene) -> Request:
    """Return the request to stop a replay that nobody has begun."""
    path = {"id": consumer_id(_WHO, _OTHER), "replayId": ids.derived("replay", "none")}
    return Request(
        f"DELETE {ONE}/replays/{{replayId}}", _WHO, "service", path=path, codes=frozenset({"REPLAY_NOT_FOUND"}), succeeds=False
    )


def replays_have_ended(evening: Evening) -> None:
    """Every replay that somebody was told of has ended: it was sent, or its consumer is gone."""
    ended = {item["sk"]: item["status"] for item in evening.items("EventFlowTable") if item["pk"].startswith("REPLAYS#")}
    for sent in evening.sent(REPLAY):
        assert not sent.succeeded or ended[sent.body["replay_id"]] in ("COMPLETED", "STOPPED"), f"{sent.number} goes on for ever"
