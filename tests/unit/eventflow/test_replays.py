"""Replays: what is sent again, to whom, how fast, and how far it is when a run ends."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from tests import consumers, producers
from tests.consumers import Consumer
from tests.world import Context, World
from tillflow.contexts.eventflow import launching, queuedeleting, queuemaking, queues, registry, replaying, replaystore
from tillflow.contexts.eventflow.pointers import Pointer
from tillflow.errors import Unavailable
from tillflow.runtime import aws, deadline
from tillflow.values import clock, ids

EVERYTHING: dict[str, Any] = {"from": "2026-01-01T00:00:00Z"}


@pytest.fixture
def sent(world: World) -> list[str]:
    """Three tills are opened and two closed, one after the other, before anybody listens; return the events' ids."""
    producer = producers.add(world)
    told = [
        producer.send(f"till.{what}", {"n": n}).json["event_id"]
        for n, what in enumerate(("opened", "closed", "opened", "closed", "opened"))
    ]
    producer.deliver()
    return told


def replay(consumer: Consumer, status: int = 202, **body: Any) -> dict[str, Any]:
    answer = consumer.call("POST", "/replays", EVERYTHING | body)
    assert answer.status == status, answer
    told: dict[str, Any] = answer.json
    return told


def run(consumer: Consumer, begun: dict[str, Any], seconds: float = 60) -> bool:
    given = {"consumer_id": consumer.consumer_id, "replay_id": begun["replay_id"]}
    answer: dict[str, bool] = consumer.world.invoke("eventflow/run_replay", given, Context(milliseconds=int(seconds * 1000)))
    return answer["finished"]


def shown(consumer: Consumer, begun: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = consumer.call("GET", "/replays/{replayId}", path={"replayId": begun["replay_id"]}).json
    return told


def got(consumer: Consumer) -> list[str]:
    events = consumer.fetch(limit=100)["events"]
    assert all(each["replayed"] for each in events)
    return [each["event_id"] for each in events]


def test_stored_events_come_again_in_order_and_marked(world: World, sent: list[str]) -> None:
    consumer, other = consumers.add(world, "till.*"), consumers.add(world, "till.*")
    begun = replay(consumer)
    assert (begun["status"], begun["sent"], begun["rate"]) == ("RUNNING", 0, 100)

    assert run(consumer, begun)

    assert got(consumer) == sent
    assert got(other) == []
    told = shown(consumer, begun)
    assert (told["status"], told["sent"]) == ("COMPLETED", 5)
    assert told["ended_at"] >= told["created_at"]
    assert run(consumer, begun), "it has ended"
    assert shown(consumer, begun) == told


@pytest.mark.parametrize(
    ("wants", "narrowed", "which"),
    [
        (["till.opened"], {}, [0, 2, 4]),
        (["till.opened", "till.closed"], {}, [0, 1, 2, 3, 4]),
        (["till.*"], {"event_types": ["till.closed"]}, [1, 3]),
        (["till.opened"], {"event_types": ["till.c*"]}, []),
        (["*"], {"event_types": ["till.o*", "none"]}, [0, 2, 4]),
    ],
)
def test_a_replay_is_of_what_it_and_its_consumer_want(
    world: World, sent: list[str], wants: list[str], narrowed: dict[str, Any], which: list[int]
) -> None:
    consumer = consumers.add(world, *wants)

    assert replay(consumer, 200, dry_run=True, **narrowed) == {"dry_run": True, "matched": len(which), "matched_relation": "eq"}
    assert run(consumer, replay(consumer, **narrowed))
    assert got(consumer) == [sent[number] for number in which]


def test_a_window_has_both_its_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    producer, times = producers.add(world), []
    start = clock.now() - timedelta(hours=1)
    for minute in range(4):
        monkeypatch.setattr(clock, "now", lambda minute=minute: start + timedelta(minutes=minute))
        times.append(clock.iso(clock.now()))
        producer.send("till.opened")
    monkeypatch.undo()
    producer.deliver()
    consumer = consumers.add(world, "till.*")

    assert replay(consumer, 200, dry_run=True, **{"from": times[1], "to": times[2]})["matched"] == 2
    assert replay(consumer, 200, dry_run=True, **{"from": times[3]})["matched"] == 1
    assert replay(consumer, 200, dry_run=True, to="2026-01-02T00:00:00Z")["matched"] == 0
    assert replay(consumer, 200, dry_run=True, **{"from": "2026-01-01"}, event_types=[])["matched"] == 4


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"from": "yesterday"},
        EVERYTHING | {"to": "2025-01-01T00:00:00Z"},
        EVERYTHING | {"rate": 0},
        EVERYTHING | {"rate": 1_001},
    ],
)
def test_what_is_no_replay_is_refused(world: World, body: dict[str, Any]) -> None:
    assert consumers.add(world).call("POST", "/replays", body).status == 400


def test_a_replay_keeps_its_rate_over_as_many_runs_as_it_takes(
    world: World, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = consumers.add(world, "till.*")
    now, slept = [0.0], []
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(clock, "sleep", sleep)
    begun = replay(consumer, rate=1)

    # Each event takes a second; there is room for three of them before a run must end.
    room = 3 * aws.LONGEST_CALL_SECONDS + 3.5
    assert [run(consumer, begun, room) for _ in range(2)] == [False, True]

    assert shown(consumer, begun)["sent"] == 5
    assert sorted(got(consumer)) == sorted(sent)
    assert sum(slept) == pytest.approx(5 - 1, abs=0.5)


def test_what_a_queue_does_not_take_is_sent_again_and_nothing_is_passed_over(
    world: World, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = consumers.add(world, "till.*")
    send = queues.send
    monkeypatch.setattr(queues, "send", lambda owner, pointers: send(owner, pointers[:2]) + pointers[2:])
    assert run(consumer, replay(consumer))
    assert got(consumer) == sent

    monkeypatch.setattr(queues, "send", lambda _, pointers: list(pointers))
    begun = replay(consumer)
    with pytest.raises(Unavailable):
        run(consumer, begun)
    monkeypatch.setattr(queues, "send", send)
    assert (shown(consumer, begun)["status"], shown(consumer, begun)["sent"]) == ("RUNNING", 0)
    assert run(consumer, begun)


def test_of_two_runs_the_later_goes_on(world: World, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = consumers.add(world, "till.*")
    begun = replay(consumer, rate=1)
    send, inner = queues.send, list[int]()

    def send_beside(owner: Any, pointers: list[Pointer]) -> list[Pointer]:
        if not inner:
            inner.append(1)
            assert run(consumer, begun)
        return send(owner, pointers)

    monkeypatch.setattr(queues, "send", send_beside)

    assert run(consumer, begun)
    assert shown(consumer, begun)["sent"] == 5
    assert got(consumer)[:5] == sent


def test_a_replay_is_stopped_and_stays_so(world: World, sent: list[str]) -> None:
    del sent
    consumer = consumers.add(world, "till.*")
    begun = replay(consumer)

    stopped = [consumer.call("DELETE", "/replays/{replayId}", path={"replayId": begun["replay_id"]}).json for _ in range(2)]

    assert [each["status"] for each in stopped] == ["STOPPED", "STOPPED"]
    assert stopped[0] == stopped[1]
    assert run(consumer, begun)
    assert got(consumer) == []


def test_a_replay_ends_with_its_consumer(world: World, sent: list[str]) -> None:
    del sent
    consumer = consumers.add(world, "till.*")
    begun = replay(consumer)
    assert consumer.call("DELETE").status == 204

    assert run(consumer, begun)
    assert replaystore.find(consumer.consumer_id, begun["replay_id"]).status == "STOPPED"
    assert replaying.run(consumer.consumer_id, ids.new()), "there is no such replay"


def test_dead_letters_are_replayed_and_leave_the_list(world: World, sent: list[str]) -> None:
    consumer = consumers.add(world, "till.*")
    assert run(consumer, replay(consumer))
    assert consumers.bury(consumer) == 5
    body = {"dead_only": True, "event_types": ["till.closed"]}

    assert consumer.call("POST", "/replays", body | {"dry_run": True}).json["matched"] == 2
    begun = consumer.call("POST", "/replays", body).json
    assert run(consumer, begun)

    left = {each["event_id"] for each in consumer.call("GET", "/dead-letters").json["items"]}
    assert left == {sent[0], sent[2], sent[4]}
    assert shown(consumer, begun)["sent"] == 2


def test_a_lost_start_is_made_good_by_the_schedule(world: World, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    del sent
    consumer, started = consumers.add(world, "till.*"), []

    def lost(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(launching, "start", lost)
    begun = replay(consumer)
    monkeypatch.setattr(launching, "start", lambda *of: started.append(of))
    assert world.invoke("eventflow/resume_replays", {}) == {"resumed": 0}, "it may be on its way"
    later = clock.now() + timedelta(minutes=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert [world.invoke("eventflow/resume_replays", {})["resumed"] for _ in range(2)] == [1, 0]
    assert started == [(consumer.consumer_id, begun["replay_id"])]


def test_five_replays_run_at_once(world: World) -> None:
    consumer = consumers.add(world)
    begun = [replay(consumer) for _ in range(5)]
    answer = consumer.call("POST", "/replays", EVERYTHING)
    assert (answer.status, answer.json["error_code"]) == (409, "TOO_MANY_REPLAYS")

    assert run(consumer, begun[0])
    assert replay(consumer)


def test_replays_are_listed_newest_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "MAX_RUNNING", 99)
    consumer = consumers.add(world)
    now = clock.now()
    begun = []
    for number in range(5):
        monkeypatch.setattr(clock, "now", lambda number=number: now + timedelta(seconds=number))
        begun.append(replay(consumer)["replay_id"])
    token: str | None = None
    listed: list[str] = []
    while True:
        page = consumer.call("GET", "/replays", query={"limit": "2"} | ({"next_token": token} if token else {})).json
        listed += [each["replay_id"] for each in page["items"]]
        if (token := page["next_token"]) is None:
            break

    assert listed == begun[::-1]


def test_the_same_key_is_one_replay(world: World) -> None:
    consumer = consumers.add(world)
    answers = [consumer.call("POST", "/replays", EVERYTHING, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert answers[0].json == answers[1].json
    assert len(consumer.call("GET", "/replays").json["items"]) == 1


@pytest.mark.parametrize("start", ["earliest", "2026-01-01T00:00:00Z"])
def test_a_consumer_may_start_in_the_past(world: World, sent: list[str], start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[object, ...]] = []
    monkeypatch.setattr(launching, "start", lambda *of: started.append(of))
    consumer = consumers.add(world, "till.*", start=start)
    (begun,) = consumer.call("GET", "/replays").json["items"]
    assert started == [(consumer.consumer_id, begun["replay_id"])]

    assert run(consumer, begun)
    assert got(consumer) == sent


def test_what_is_routed_while_a_consumer_is_made_is_not_missed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    producer, meanwhile = producers.add(world), list[str]()
    make, now = queuemaking.create, clock.now

    def slowly(consumer_id: str, name: str) -> str:
        url = make(consumer_id, name)
        monkeypatch.setattr(clock, "now", lambda: now() + timedelta(seconds=2))
        meanwhile.append(producer.send("till.opened").json["event_id"])
        producer.deliver()
        return url

    monkeypatch.setattr(queuemaking, "create", slowly)
    consumer = consumers.add(world, "till.*", start="earliest")
    (begun,) = consumer.call("GET", "/replays").json["items"]

    assert run(consumer, begun)

    assert got(consumer) == meanwhile


def test_a_queue_that_was_made_again_gets_what_it_should_have_had(world: World, sent: list[str]) -> None:
    consumer = consumers.add(world, "till.*")
    producer = producers.add(world)
    later = producer.send("till.opened").json["event_id"]
    producer.deliver()
    queuedeleting.delete(consumer.consumer_id)
    assert consumer.call("GET", "/events").status == 503
    assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 1}

    (begun,) = consumer.call("GET", "/replays").json["items"]
    assert run(consumer, begun)

    assert got(consumer) == [later]
    assert later not in sent


def test_what_is_routed_while_a_queue_is_made_is_sent_by_the_replay_that_follows(world: World) -> None:
    producer, create, missed = producers.add(world), queuemaking.create, list[str]()

    def slowly(consumer_id: str, name: str) -> str:
        missed.append(producer.send().json["event_id"])
        assert producer.deliver() == []
        deadline.start(Context(milliseconds=55_000))  # the router had its own
        return create(consumer_id, name)

    with patch.object(queuemaking, "create", slowly):
        consumer = consumers.add(world, "till.*", start="earliest")
    (begun,) = consumer.call("GET", "/replays").json["items"]
    assert run(consumer, begun)
    assert got(consumer) == missed

    queuedeleting.delete(consumer.consumer_id)
    registry.mark_broken(registry.find(consumer.consumer_id))
    later = producer.send().json["event_id"]
    everyone = registry.everyone

    def late() -> Any:
        with patch.object(registry, "everyone", everyone):
            assert producer.deliver() == []  # its mark is seen as well
        deadline.start(Context(milliseconds=55_000))
        return everyone()

    with patch.object(registry, "everyone", late), patch.object(clock, "sleep", lambda _: None):
        assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 1}
    begun = consumer.call("GET", "/replays").json["items"][0]
    assert run(consumer, begun)
    assert got(consumer) == [*missed, later]


def test_a_run_that_finds_no_queue_says_so_and_goes_on_later(world: World, sent: list[str]) -> None:
    consumer = consumers.add(world, "till.*")
    begun = replay(consumer)
    queuedeleting.delete(consumer.consumer_id)

    with pytest.raises(Unavailable):
        run(consumer, begun)

    assert registry.find(consumer.consumer_id).broken_at
    assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 1}
    assert run(consumer, begun)
    assert got(consumer) == sent


def test_an_id_that_is_none_is_not_found(world: World) -> None:
    consumer = consumers.add(world)
    for method in ("GET", "DELETE"):
        for replay_id in (ids.new(), "x" * 3_000):
            assert consumer.call(method, "/replays/{replayId}", path={"replayId": replay_id}).status == 404


def test_a_key_is_one_consumer_s(world: World) -> None:
    one, other = consumers.add(world, "till.*"), consumers.add(world, "till.*")
    begun = [each.call("POST", "/replays", {"from": clock.EARLIEST}, headers={"Idempotency-Key": "k"}) for each in (one, other)]

    assert [answer.status for answer in begun] == [202, 202]
    assert [answer.json["consumer_id"] for answer in begun] == [one.consumer_id, other.consumer_id]
