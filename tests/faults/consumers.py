"""The commands of consumers: whatever befalls them, each event that a consumer should have is given to it, and none is lost."""

import json
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from tests.faults.client import Refused, send
from tests.faults.command import Act, Command, always
from tests.faults.eventflow import EVENT_ID as ACCEPTED
from tests.faults.eventflow import accept
from tests.faults.invariants import replaying
from tests.faults.wire import Fault, Gone
from tests.faults.world import World
from tests.simulation.plays import consumers as consuming
from tests.simulation.plays.consumers import FETCH, ONE, REGISTER, REPLAY, consumer_id
from tests.simulation.scene import Play
from tests.world import http_event
from tillflow.contexts.eventflow.queues import MAX_DELIVERIES
from tillflow.storage.attributes import Item

_TYPE = "till.opened"
_TOLD = {_TYPE: 1}
_EVERYTHING = {"from": "2000-01-01T00:00:00Z"}
_ID = consumer_id("a-service", "k")
_LEASE = 30
_PATIENCE = 30


def _register(ack: str = "manual") -> Act:
    body = {"name": "Ledger", "subscribed_event_types": ["till.*"], "ack": ack, "lease_seconds": _LEASE}

    def run(world: World) -> None:
        assert send(world, REGISTER, body, role="service", key="k")["consumer_id"] == _ID
        world.drain()

    return run


def _ask(route: str, body: dict[str, Any] | None = None, **path: str) -> Act:
    """Do it as a service; where it was done before an answer was lost, it may be refused the second time."""

    def run(world: World) -> None:
        with suppress(Refused):
            send(world, route, body or {}, role="service", path={"id": _ID} | path)
        world.drain()

    return run


def _then(*acts: Act) -> Act:
    def run(world: World) -> None:
        for act in acts:
            act(world)

    return run


def _fetch(world: World, poller: str = "p") -> dict[str, Any] | None:
    """Fetch once; return None where no answer came."""
    parts: dict[str, Any] = {"path": {"id": _ID}, "query": {"poller": poller}}
    try:
        answer = world.invoke(world.wiring.routes[FETCH], http_event(FETCH, user="a-service", roles=["service"], **parts))
    except Gone:
        return None
    assert answer["statusCode"] in (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE), answer
    told: dict[str, Any] = json.loads(answer["body"])
    return told if answer["statusCode"] == HTTPStatus.OK else None


def _waiting(world: World) -> list[Any]:
    """Return the messages of the consumer's queue."""
    return [letter for queue in world.wire.sqs.queues.values() for letter in queue.letters]


def _consume(what: tuple[str, dict[str, Any]] | None) -> Act:
    """
    Fetch until the event has come and is done with.

    *what* is sent about each event first, before it is acknowledged; None: fetches acknowledge, and whoever got no answer goes on
    as another poller.
    """

    def run(world: World) -> None:
        seen, poller = set[str](), 0
        for _ in range(_PATIENCE):
            answer = _fetch(world, f"p{poller}")
            poller += answer is None
            if answer and answer["events"]:
                seen |= {each["event_id"] for each in answer["events"]}
                if what is not None:
                    _settle(world, answer["ack"], *what)
            elif seen and not _waiting(world):
                break
            else:
                world.pass_time(_LEASE + 1)
        assert seen == {ACCEPTED}, "an event was not delivered"
        assert not _waiting(world), "an event was never done with"

    return run


def _settle(world: World, tokens: list[str], what: str, more: dict[str, Any]) -> None:
    told = send(world, f"POST {ONE}/{what}", {"ack": tokens} | more, role="service", path={"id": _ID})["results"]
    if what == "extend":
        tokens = [each.get("ack", token) for each, token in zip(told, tokens, strict=True)]
        send(world, f"POST {ONE}/ack", {"ack": tokens}, role="service", path={"id": _ID})


def _give_back_once(world: World) -> None:
    """Fetch and give back; whether that was done or not, the event comes again."""
    if (answer := _fetch(world)) and answer["ack"]:
        _settle(world, answer["ack"], "nack", {})
    _consume(("ack", {}))(world)


def _fail(world: World) -> None:
    """Fetch, and never acknowledge, until the event is dead."""
    for _ in range(MAX_DELIVERIES + 2):
        _fetch(world)
        world.pass_time(_LEASE + 1)
    world.drain()


def _letters(world: World) -> list[Item]:
    return [item for item in world.items("EventFlowTable") if item["pk"].startswith("DEAD#")]


def _consumers(world: World) -> list[Item]:
    return [item for item in world.items("EventFlowTable") if item["sk"].startswith("CONSUMER#")]


def _is(**fields: object) -> Act:
    def check(world: World) -> None:
        (consumer,) = _consumers(world)
        assert {name: consumer.get(name) for name in fields} == fields

    return check


def _gets_events(world: World) -> None:
    """It is known, and an event that is accepted now is in its queue."""
    _is(status="ACTIVE")(world)
    accept(world)
    assert _waiting(world), "an event was accepted after a consumer was registered, and is not sent to it"


def _is_sent(world: World) -> None:
    assert _waiting(world), "an event was not sent"


def _is_dead(world: World) -> None:
    assert (len(_letters(world)), _waiting(world)) == (1, []), "an event that is dead is not kept once"


def _is_alive(world: World) -> None:
    assert not _letters(world), "a dead letter was redriven, and is there"
    assert _waiting(world), "a dead letter is gone, and was not redriven"


def _is_forgotten(world: World) -> None:
    assert (_letters(world), _waiting(world)) == ([], [])


def _is_gone(world: World) -> None:
    assert not _consumers(world)
    assert not world.wire.sqs.queues, "a queue is left behind"


def _lose_queue(world: World) -> None:
    for name in list(world.wire.sqs.queues):
        world.wire.sqs.do("DeleteQueue", {"QueueUrl": f"https://sqs.test/{name}"})
    world.pass_time(61)


def _give_up(world: World) -> None:
    """Begin a registration that never ends."""
    world.wire.plan = always("eventflow/create_consumer", "CreateQueue", Fault.LOST)
    event = {"name": "Ledger", "subscribed_event_types": ["till.*"]}
    world.invoke(
        "eventflow/create_consumer",
        http_event(REGISTER, user="a-service", roles=["service"], body=event, headers={"Idempotency-Key": "k"}),
    )
    world.wire.reset()
    world.pass_time(901)


def _tend(world: World) -> None:
    """Let minutes pass until nothing is to be tended."""
    for _ in range(_PATIENCE):
        world.pass_time(61)
        world.run_schedule("eventflow/tend_consumers")
        if not [item for item in _consumers(world) if "broken_at" in item or item["status"] in ("PENDING", "DELETING")]:
            return


def _is_mended(world: World) -> None:
    """The queue is there again, and what it may have had is begun to be sent again."""
    _is(broken_at=None, status="ACTIVE")(world)
    assert len(world.wire.sqs.queues) == 1
    assert [item for item in world.items("EventFlowTable") if item["pk"].startswith("REPLAYS#")]


def _redrive_all(world: World) -> None:
    """Ask for it as long as some remain."""
    while send(world, f"POST {_DEAD}/redrive", {}, role="service", path={"id": _ID})["remaining"]:
        pass


def _replay(body: dict[str, Any]) -> Act:
    """Have events sent again; where a fault kept that from being started, or gone on with, the next schedule does it."""

    def run(world: World) -> None:
        send(world, REPLAY, body, role="service", path={"id": _ID}, key="r")
        world.drain()
        _resume_replays(world)

    return run


def _resume_replays(world: World) -> None:
    while replaying(world):
        world.pass_time(301)
        world.run_schedule("eventflow/resume_replays")
        world.drain()


def _begin_replay(world: World) -> None:
    """Begin a replay that is never started."""
    send(world, REPLAY, _EVERYTHING, role="service", path={"id": _ID}, key="r")
    world.pending.starts.clear()


def _stop_replay(world: World) -> None:
    (replay,) = replaying(world) or [{"sk": "none"}]
    with suppress(Refused):
        send(world, f"DELETE {ONE}/replays/{{replayId}}", {}, role="service", path={"id": _ID, "replayId": replay["sk"]})


def _is_replayed(world: World) -> None:
    """The replay has ended, and the event was sent by it: once, or where nobody knew, twice."""
    _has_replay("COMPLETED")(world)
    assert _waiting(world), "an event was not replayed"
    assert all(json.loads(letter.body)["replayed"] for letter in _waiting(world))


def _has_replay(status: str) -> Act:
    def check(world: World) -> None:
        (replay,) = (item for item in world.items("EventFlowTable") if item["pk"].startswith("REPLAYS#"))
        assert replay["status"] == status

    return check


_look = _ask(f"GET {ONE}")
_delivered = _then(_register(), accept)
_dead = _then(_delivered, _fail)
_broken = _then(_register(), _lose_queue, _ask(f"GET {ONE}"))
_DEAD = f"{ONE}/dead-letters"
_ACKNOWLEDGE = _consume(("ack", {}))
_DELETE = _ask(f"DELETE {ONE}")
_PAUSE = _ask(f"POST {ONE}/pause")
# It is registered when the event is there.
_late = _then(accept, _register())

_ROUTE, _KEEP = frozenset({"eventflow/route_events"}), frozenset({"eventflow/keep_dead_letters"})

COMMANDS = (
    Command("register a consumer", _register(), also=_gets_events, plays=Play(consuming.registers, often=3)),
    Command("send an event to a consumer", accept, _register(), events=_TOLD, also=_is_sent, breaks=_ROUTE),
    Command(
        "consume with a client that only fetches",
        _consume(None),
        _then(_register("auto"), accept),
        events=_TOLD,
        plays=Play(consuming.fetches, often=8, holds=consuming.consumers_have_their_events),
    ),
    Command("consume and acknowledge", _ACKNOWLEDGE, _delivered, events=_TOLD, plays=Play(consuming.acknowledges, often=2)),
    Command("give an event back", _give_back_once, _delivered, events=_TOLD, plays=Play(consuming.gives_back, often=2)),
    Command(
        "take longer", _consume(("extend", {"seconds": 300})), _delivered, events=_TOLD, plays=Play(consuming.extends, often=2)
    ),
    Command("fail on an event", _fail, _delivered, events=_TOLD, also=_is_dead, breaks=_KEEP),
    Command(
        "redrive a dead letter",
        _ask(f"POST {_DEAD}/{{eventId}}/redrive", eventId=ACCEPTED),
        _dead,
        events=_TOLD,
        also=_is_alive,
        plays=Play(consuming.redrives_one, often=1),
    ),
    Command(
        "redrive dead letters",
        _redrive_all,
        _dead,
        events=_TOLD,
        also=_is_alive,
        plays=Play(consuming.redrives, often=1),
    ),
    Command(
        "discard a dead letter",
        _ask(f"DELETE {_DEAD}/{{eventId}}", eventId=ACCEPTED),
        _dead,
        events=_TOLD,
        also=_is_forgotten,
        plays=Play(consuming.discards, often=1),
    ),
    Command(
        "change a consumer",
        _ask(f"PATCH {ONE}", {"lease_seconds": 60}),
        _register(),
        also=_is(lease_seconds=60),
        plays=Play(consuming.changes, often=1),
    ),
    Command("look at a consumer", _look, _register(), also=_gets_events, plays=Play(consuming.looks, often=1)),
    Command("look at a consumer whose queue is gone", _then(_look, _tend), _then(_register(), _lose_queue), also=_is_mended),
    Command(
        "pause a consumer",
        _ask(f"POST {ONE}/pause"),
        _register(),
        also=_is(status="PAUSED"),
        plays=Play(consuming.pauses, often=1),
    ),
    Command(
        "resume a consumer",
        _ask(f"POST {ONE}/resume"),
        _then(_register(), _PAUSE),
        also=_gets_events,
        plays=Play(consuming.resumes, often=1),
    ),
    Command(
        "delete a consumer",
        _ask(f"DELETE {ONE}"),
        _delivered,
        events=_TOLD,
        also=_is_gone,
        plays=Play(consuming.deletes, often=1),
    ),
    Command("make a queue again", _tend, _broken, also=_is_mended),
    Command(
        "send an event to a queue that is gone",
        _then(accept, _tend),
        _then(_register(), _lose_queue),
        events=_TOLD,
        also=_is_mended,
        breaks=_ROUTE,
    ),
    Command(
        "replay events",
        _replay(_EVERYTHING),
        _late,
        events=_TOLD,
        also=_is_replayed,
        plays=Play(consuming.replays, often=2, holds=consuming.replays_have_ended),
    ),
    Command("replay dead letters", _replay({"dead_only": True}), _dead, events=_TOLD, also=_then(_is_replayed, _is_alive)),
    Command(
        "resume a replay whose start was lost",
        _resume_replays,
        _then(_late, _begin_replay),
        events=_TOLD,
        also=_is_replayed,
        breaks=frozenset({"eventflow/resume_replays"}),
    ),
    Command(
        "stop a replay",
        _stop_replay,
        _then(_late, _begin_replay),
        events=_TOLD,
        also=_has_replay("STOPPED"),
        plays=Play(consuming.stops_a_replay, often=1),
    ),
    Command("end a registration that was given up", _tend, _give_up, also=_is_gone),
)
