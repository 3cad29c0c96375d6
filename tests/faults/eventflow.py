"""The commands of EventFlow: an event that was accepted is stored, published and listed; under a key it is one."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.faults.client import Refused, send
from tests.faults.command import Act, Command
from tests.faults.world import World
from tests.simulation.plays import eventflow as sending
from tests.simulation.plays.eventflow import PRODUCER_ID, TOLD
from tests.simulation.scene import Play
from tillflow.contexts.eventflow.eventlog import of_item
from tillflow.storage.attributes import Item
from tillflow.values import ids

_TYPE = "till.opened"
_EVENT = {"event_type": _TYPE, "event_version": 1, "payload": {"till": 7}}
EVENT_ID = ids.derived("event", f"{PRODUCER_ID}:k")
_KEYS = "POST /api/v1/producers/{id}/keys"


def _post(path: str, body: dict[str, Any], key: str | None = None) -> Act:
    def run(world: World) -> None:
        send(world, f"POST /api/v1/{path}", body, role="", key=key, user=PRODUCER_ID, told=TOLD)
        world.drain()

    return run


def _administer(route: str, body: dict[str, Any] | None = None) -> Act:
    """Do it as an administrator to the producer, the key or the event that there is; twice, it may be refused."""

    def run(world: World) -> None:
        path = {"id": EVENT_ID if "events" in route else _producer_id(world)}
        if "{keyId}" in route:
            path["keyId"] = str(_keys(world)[0]["pk"]).removeprefix("KEY#")
        with suppress(Refused):
            send(world, route, body or {}, role="admin", path=path)
        world.drain()

    return run


def _make_producer(world: World) -> None:
    send(world, "POST /api/v1/producers", {"name": "Tills"}, role="admin")
    world.drain()


def _producers(world: World) -> list[Item]:
    return [item for item in world.items("EventFlowTable") if item["sk"] == "PRODUCER"]


def _producer_id(world: World) -> str:
    return str(_producers(world)[0]["pk"]).removeprefix("PRODUCER#")


def _keys(world: World) -> list[Item]:
    return [item for item in world.items("IdentityTable") if item["sk"] == "KEY"]


def _each_has_its_key(world: World) -> None:
    """No producer without a key, no key without a producer: however often it was asked for."""
    producers = {str(item["pk"]).removeprefix("PRODUCER#") for item in _producers(world)}
    assert producers
    assert {key["owner"] for key in _keys(world)} == producers


def _is(**fields: object) -> Act:
    def check(world: World) -> None:
        (producer,) = _producers(world)
        assert {name: producer.get(name) for name in fields} == fields

    return check


def _has_keys(fewest: int, most: int) -> Act:
    def check(world: World) -> None:
        assert fewest <= len([key for key in _keys(world) if "revoked_at" not in key]) <= most

    return check


def _is_erased(world: World) -> None:
    (event,) = (of_item(item) for item in world.items("EventsTable") if item["sk"] == "EVENT")
    assert event.payload is None


def _then(*acts: Callable[[World], object]) -> Act:
    def run(world: World) -> None:
        for act in acts:
            act(world)

    return run


accept = _post("events", _EVENT, "k")
_BATCH = {"events": [_EVENT | {"idempotency_key": "k"}, _EVENT | {"idempotency_key": "l"}, {"event_type": "OrderCreated"}]}

COMMANDS = (
    Command("accept an event", accept, events={_TYPE: 1}, plays=Play(sending.sends, often=8, holds=sending.events_are_as_told)),
    Command("accept an event that is there", accept, accept, events={_TYPE: 1}),
    Command("accept an event without a key", _post("events", _EVENT), events={_TYPE: 1}, anew=frozenset({_TYPE})),
    Command(
        "accept events",
        _then(_post("events/batch", _BATCH), _post("events/batch", _BATCH)),
        events={_TYPE: 2},
        plays=Play(sending.sends_many, often=3),
    ),
    Command(
        "erase a payload",
        _administer("DELETE /api/v1/events/{id}/payload"),
        accept,
        events={_TYPE: 1},
        also=_is_erased,
        plays=Play(sending.erases, often=1),
    ),
    Command("make a producer", _make_producer, also=_each_has_its_key, plays=Play(sending.makes_producer, often=1)),
    Command(
        "change a producer",
        _administer("PATCH /api/v1/producers/{id}", {"rate": 5}),
        _make_producer,
        also=_is(rate=5),
        plays=Play(sending.keeps_producer, often=3, holds=sending.producers_keys_are_as_told),
    ),
    Command("disable a producer", _administer("POST /api/v1/producers/{id}/disable"), _make_producer, also=_is(disabled=True)),
    Command(
        "enable a producer",
        _administer("POST /api/v1/producers/{id}/enable"),
        _then(_make_producer, _administer("POST /api/v1/producers/{id}/disable")),
        also=_is(disabled=False),
    ),
    Command("make a key", _administer(_KEYS), _make_producer, also=_has_keys(2, 3)),
    Command("revoke a key", _administer("DELETE /api/v1/producers/{id}/keys/{keyId}"), _make_producer, also=_has_keys(0, 0)),
)
