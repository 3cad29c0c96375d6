"""Replays on a deployed stack: stored events come to one consumer again, whoever breaks off on the way."""

import time
from typing import Any

from local.wait import until
from tests.integration.behind import SECONDS, Behind
from tests.integration.flow import Consumer, Producer, register
from tests.integration.scene import Scene, refused

_EVERYTHING = {"from": "2026-01-01T00:00:00Z"}

type Json = dict[str, Any]


def begin(consumer: Consumer, **body: object) -> str:
    """Begin a replay; return its path."""
    answer = consumer.caller.post(f"{consumer.path}/replays", _EVERYTHING | body)
    assert answer.status_code == 202, answer.text
    return f"{consumer.path}/replays/{answer.json()['replay_id']}"


def ended(consumer: Consumer, replay: str) -> Json:
    """Wait until a replay has ended, and return it."""

    def has_ended() -> Json | None:
        told: Json = consumer.caller.get(replay).json()
        return None if told["status"] == "RUNNING" else told

    return until(has_ended, seconds=SECONDS, what="the replay's end")


def matched(consumer: Consumer, **body: object) -> int:
    """Return how many events a replay would send."""
    answer = consumer.caller.post(f"{consumer.path}/replays", _EVERYTHING | {"dry_run": True} | body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["matched"])


def test_events_come_to_who_asks_for_them_again_in_order_and_to_nobody_else(scene: Scene, producer: Producer) -> None:
    consumer, other = register(scene, producer), register(scene, producer)
    sent = producer.send(12)
    for each in (consumer, other):
        each.gets(sent)
        each.fetch()  # it acknowledges what came last

    until(lambda: matched(consumer) == len(sent) or None, seconds=SECONDS, what="the index")
    replay = begin(consumer)
    came = consumer.gets(sent, limit=100)

    assert {each["event_id"] for each in came} == set(sent)
    assert all(each["replayed"] for each in came)
    told = ended(consumer, replay)
    assert (told["status"], told["sent"]) == ("COMPLETED", len(sent))
    assert other.fetch(wait=1)["events"] == []
    assert [each["replay_id"] for each in consumer.caller.get(f"{consumer.path}/replays").json()["items"]] == [told["replay_id"]]


def test_a_consumer_that_starts_early_gets_what_was_before_it(scene: Scene, producer: Producer) -> None:
    first = register(scene, producer)
    sent = producer.send(3)
    first.gets(sent)
    late = register(scene, producer, start="earliest")

    came = late.gets(sent)
    assert all(each["replayed"] for each in came)


def test_a_replay_keeps_its_rate_and_is_stopped(scene: Scene, producer: Producer) -> None:
    consumer = register(scene, producer)
    sent = producer.send(40)
    until(lambda: matched(consumer) == len(sent) or None, seconds=SECONDS, what="the index")

    began = time.monotonic()
    replay = begin(consumer, rate=2)
    until(lambda: consumer.caller.get(replay).json()["sent"] >= 4 or None, seconds=SECONDS, what="the first events")
    took = time.monotonic() - began
    stopped = consumer.caller.http.delete(replay)

    assert stopped.json()["status"] == "STOPPED"
    assert took > 1, "four events at two a second"
    # What was on its way when it was stopped may still be sent, and is not counted.
    assert ended(consumer, replay)["sent"] == stopped.json()["sent"] < len(sent)


def test_an_execution_that_is_ended_half_way_is_gone_on_with(scene: Scene, behind: Behind, producer: Producer) -> None:
    consumer = register(scene, producer)
    sent = producer.send(10)
    until(lambda: matched(consumer) == len(sent) or None, seconds=SECONDS, what="the index")
    replay = begin(consumer, rate=1)
    until(lambda: consumer.caller.get(replay).json()["sent"] or None, seconds=SECONDS, what="the first event")
    machine, aws = scene.stack.state_machines["EventReplay"], scene.stack.aws.stepfunctions
    for running in aws.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]:
        aws.stop_execution(executionArn=running["executionArn"])

    given = {"consumer_id": consumer.consumer_id, "replay_id": replay.rpartition("/")[2]}
    while not behind.invoke("RunReplayFunction", given)["finished"]:
        pass

    assert ended(consumer, replay)["status"] == "COMPLETED"
    consumer.gets(sent, limit=100)


def test_a_queue_that_somebody_deletes_gets_what_it_had_again(scene: Scene, behind: Behind, producer: Producer) -> None:
    consumer = register(scene, producer)
    sent = producer.send(3)
    until(lambda: consumer.shown()["backlog"] == len(sent) or None, seconds=SECONDS, what="a backlog")
    (url,) = [each for each in behind.aws.sqs.list_queues()["QueueUrls"] if each.endswith(consumer.consumer_id.replace("-", ""))]
    behind.aws.sqs.delete_queue(QueueUrl=url)
    refused(consumer.caller.get(f"{consumer.path}/events"), 503)

    for function in ("TendConsumersFunction", "ResumeReplaysFunction"):
        behind.invoke(function, {})  # as they are every minute

    assert all(each["replayed"] for each in consumer.gets(sent))
