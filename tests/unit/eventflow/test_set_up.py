"""The stack's custom resource: whatever becomes of it, CloudFormation is answered."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from local.shop.samples import sample
from tests.world import Context, World
from tillflow.contexts.eventflow import queuedeleting, registering, tables
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.errors import Unavailable
from tillflow.runtime import aws


class CloudFormation:
    """Where answers go: what was put there, after as many failures as it *fails*."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.types: list[str | None] = []
        self.fails = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.fails -= 1
                if outer.fails < 0:
                    outer.answers.append(json.loads(body))
                    outer.types.append(self.headers["Content-Type"])
                self.send_response(500 if outer.fails >= 0 else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/answer"

    def ask(self, world: World, kind: str, milliseconds: int = 300_000) -> dict[str, Any]:
        event = sample("eventflow/set_up") | {"RequestType": kind, "ResponseURL": self.url}
        world.invoke("eventflow/set_up", event, Context(milliseconds=milliseconds))
        return self.answers.pop()


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    listening = CloudFormation()
    threading.Thread(target=listening.server.serve_forever, daemon=True).start()
    yield listening
    listening.server.shutdown()
    listening.server.server_close()


def test_the_product_s_own_types_are_registered_once(world: World, cloudformation: CloudFormation) -> None:
    answers = [cloudformation.ask(world, kind) for kind in ("Create", "Create", "Update")]

    request = sample("eventflow/set_up")
    of_request = {name: request[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    assert answers == [of_request | {"PhysicalResourceId": "eventflow", "Status": "SUCCESS"}] * 3
    assert cloudformation.types == [""] * 3
    assert {"event_type": "OrderCreated", "version": 1} in registering.page(ListQuery())["items"]
    assert [item["stamp"] for item in world.items("EventFlowTable") if item["pk"] == tables.partition_of(tables.stamp_key())] == [
        1
    ]


def test_a_stack_that_goes_takes_the_queues_of_its_consumers_and_no_others(world: World, cloudformation: CloudFormation) -> None:
    sqs, prefix = aws.client("sqs"), world.environments["eventflow/set_up"]["CONSUMER_QUEUES"]
    for name in (f"{prefix}{'0' * 32}", f"{prefix}{'f' * 32}", f"{prefix}s-of-somebody", "another"):
        sqs.create_queue(QueueName=name)

    assert [cloudformation.ask(world, "Delete")["Status"] for _ in range(2)] == ["SUCCESS", "SUCCESS"]

    left = {url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]}
    assert f"{prefix}s-of-somebody" in left
    assert not {name for name in left if name.startswith(prefix) and len(name) == len(prefix) + 32}


@pytest.mark.parametrize(("letters", "status"), [(38, "SUCCESS"), (39, "FAILED")])
def test_a_stack_whose_consumers_queues_could_have_no_name_is_refused(
    world: World, cloudformation: CloudFormation, letters: int, status: str
) -> None:
    """SQS: 80 characters. Else it would be found out with the first registration."""
    world.environments["eventflow/set_up"]["CONSUMER_QUEUES"] = f"{'a' * letters}_consumer_"

    assert cloudformation.ask(world, "Create")["Status"] == status
    assert cloudformation.ask(world, "Delete")["Status"] == "SUCCESS"


def test_a_failure_is_told_and_not_waited_for(
    world: World, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise ValueError("It is not as it should be.")

    monkeypatch.setattr(queuedeleting, "delete_all", fail)

    answer = cloudformation.ask(world, "Delete")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("ValueError: It is not as it should be.")


def test_a_dependency_that_is_away_for_a_moment_is_waited_for(
    world: World, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter(range(5))

    def fail_twice() -> int:
        if next(times) < 2:
            raise Unavailable("Not now.")
        return 0

    monkeypatch.setattr(queuedeleting, "delete_all", fail_twice)

    assert cloudformation.ask(world, "Delete")["Status"] == "SUCCESS"
    assert next(times) == 3


def test_one_that_stays_away_is_told_before_time_is_up(
    world: World, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> int:
        raise Unavailable("Not now.")

    monkeypatch.setattr(queuedeleting, "delete_all", away)

    assert cloudformation.ask(world, "Delete", milliseconds=20_000)["Status"] == "FAILED"


def test_an_answer_is_sent_until_it_is_taken(world: World, cloudformation: CloudFormation) -> None:
    cloudformation.fails = 2

    assert cloudformation.ask(world, "Create")["Status"] == "SUCCESS"

    cloudformation.fails = 99
    with pytest.raises(TimeoutError):
        cloudformation.ask(world, "Create")
