"""A consumer's queue: made once however often it is asked for, and nothing in it is lost or taken for certain too early."""

import json
from dataclasses import dataclass

import pytest
from botocore.stub import Stubber

from tests.world import World
from tillflow.contexts.eventflow import queuedeleting, queuemaking, queues
from tillflow.contexts.eventflow.pointers import Pointer
from tillflow.contexts.eventflow.queues import QueueGone
from tillflow.errors import Unavailable
from tillflow.runtime import aws
from tillflow.values import ids

_DEAD = "the-dead"


@dataclass(frozen=True)
class Owner:
    consumer_id: str
    queue_url: str


@pytest.fixture(autouse=True)
def _settings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    del world
    url = aws.client("sqs").create_queue(QueueName=_DEAD)["QueueUrl"]
    arn = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    monkeypatch.setenv("CONSUMER_QUEUES", "till-consumer-")
    monkeypatch.setenv("CONSUMER_DEAD_LETTERS_ARN", arn)


def made(name: str = "Ledger") -> Owner:
    consumer_id = ids.new()
    return Owner(consumer_id, queuemaking.create(consumer_id, name))


def pointer(number: int = 1, producer: str = "a-producer") -> Pointer:
    return Pointer(ids.derived("event", str(number)), "order.placed", producer)


def receive(owner: Owner, most: int = 10) -> list[queues.Message]:
    return queues.receive(owner, most, lease_seconds=30, wait_seconds=0)


def test_a_queue_is_made_once_and_says_whose_it_is_and_where_its_dead_letters_go() -> None:
    owner = made("Büro & Söhne, 1st floor")
    assert queuemaking.create(owner.consumer_id, "Büro & Söhne, 1st floor") == owner.queue_url
    told = aws.client("sqs").get_queue_attributes(QueueUrl=owner.queue_url, AttributeNames=["All"])["Attributes"]
    assert json.loads(told["RedrivePolicy"])["maxReceiveCount"] in (10, "10")
    assert (told["MessageRetentionPeriod"], told["SqsManagedSseEnabled"]) == ("1209600", "true")
    assert aws.client("sqs").list_queue_tags(QueueUrl=owner.queue_url)["Tags"]["consumer"] == "Büro _ Söhne_ 1st floor"


def test_a_name_that_rests_for_a_minute_is_waited_for() -> None:
    """AWS's own code for it has the name of the service in front."""
    with Stubber(aws.client("sqs")) as sqs:
        sqs.add_client_error("create_queue", "AWS.SimpleQueueService.QueueDeletedRecently", http_status_code=400)
        with pytest.raises(Unavailable):
            made()


def test_a_lease_that_is_over_is_told_by_one_code_with_and_without_the_service_s_name() -> None:
    owner, codes = made(), ["MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"]
    with Stubber(aws.client("sqs")) as sqs:
        failed = [{"Id": str(number), "SenderFault": True, "Code": code} for number, code in enumerate(codes)]
        sqs.add_response("change_message_visibility_batch", {"Successful": [], "Failed": failed})
        assert queues.extend(owner, [("a", 1), ("b", 1)]) == ["MessageNotInflight"] * 2


def test_what_was_sent_is_received_as_it_was_and_acknowledged_once() -> None:
    owner = made()
    sent = [pointer(number, f"producer {number}") for number in range(23)]
    assert queues.send(owner, sent) == []
    messages = [message for _ in range(3) for message in receive(owner)]
    assert {message.pointer for message in messages} == set(sent)
    assert {message.deliveries for message in messages} == {1}
    assert queues.depth(owner) == queues.Depth(0, 23)
    assert queues.acknowledge(owner, [message.receipt for message in messages]) == [None] * 23
    assert queues.depth(owner) == queues.Depth(0, 0)


def test_what_is_given_back_comes_again_and_its_deliveries_are_counted() -> None:
    owner = made()
    queues.send(owner, [pointer()])
    (first,) = receive(owner)
    assert receive(owner) == []
    assert queues.extend(owner, [(first.receipt, 0)]) == [None]
    (second,) = receive(owner)
    assert (second.pointer, second.deliveries) == (first.pointer, 2)


def test_what_is_no_lease_fails_for_itself_and_the_others_are_acknowledged() -> None:
    owner = made()
    queues.send(owner, [pointer(1), pointer(2)])
    one, other = receive(owner)
    results = queues.acknowledge(owner, [one.receipt, "no receipt", other.receipt])
    assert (results[0], bool(results[1]), results[2]) == (None, True, None)


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        "{}",
        '{"consumer_id": 1, "event_id": 2, "event_type": 3, "producer_id": 4, "replayed": false}',
        json.dumps({"consumer_id": ids.new(), "event_id": "x", "event_type": "x", "producer_id": "x", "replayed": False}),
        json.dumps({"consumer_id": ids.new(), "event_id": ids.new(), "event_type": "x", "producer_id": "x", "replayed": False}),
    ],
)
def test_what_is_no_pointer_of_this_consumer_is_handed_to_nobody(body: str) -> None:
    owner = made()
    aws.client("sqs").send_message(QueueUrl=owner.queue_url, MessageBody=body)
    queues.send(owner, [pointer()])
    assert [message.pointer for message in receive(owner)] == [pointer()]


def test_a_queue_that_is_gone_is_said_to_be_whatever_is_asked_of_it() -> None:
    owner = made()
    queuedeleting.delete(owner.consumer_id)
    queuedeleting.delete(owner.consumer_id)
    for ask in (
        lambda: queues.send(owner, [pointer()]),
        lambda: receive(owner),
        lambda: queues.acknowledge(owner, ["r"]),
        lambda: queues.extend(owner, [("r", 0)]),
        lambda: queues.depth(owner),
    ):
        with pytest.raises(QueueGone):
            ask()


def test_with_the_stack_goes_every_queue_of_its_consumers_and_no_other() -> None:
    for _ in range(3):
        made()
    aws.client("sqs").create_queue(QueueName="till-consumer-of-another-stack")
    assert queuedeleting.delete_all() == 3
    left = {url.rpartition("/")[2] for url in aws.client("sqs").list_queues()["QueueUrls"]}
    assert {_DEAD, "till-consumer-of-another-stack"} <= left
    assert not [name for name in left if name.startswith("till-consumer-") and name != "till-consumer-of-another-stack"]
