"""The harness's SQS: leases end by the simulated clock, the dead go where they should, and every call can fail in its ways."""

from dataclasses import dataclass

import pytest

from tests.faults import passing
from tests.faults.command import once
from tests.faults.wire import Call, Fault, Gone
from tests.faults.world import World
from tillflow.contexts.eventflow import queuedeleting, queuemaking, queues
from tillflow.contexts.eventflow.pointers import Pointer
from tillflow.contexts.eventflow.queues import Message, QueueGone
from tillflow.errors import Unavailable
from tillflow.runtime import aws
from tillflow.values import ids

_ID = ids.derived("consumer", "one")
_POINTERS = [Pointer(ids.derived("event", str(number)), "a", "p") for number in range(3)]


@dataclass(frozen=True)
class Owner:
    consumer_id: str = _ID
    queue_url: str = ""


@pytest.fixture(autouse=True)
def owner(world: World, empty: object, monkeypatch: pytest.MonkeyPatch) -> Owner:
    monkeypatch.setenv("CONSUMER_QUEUES", "till-consumer-")
    monkeypatch.setenv("CONSUMER_DEAD_LETTERS_ARN", "TheDead")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "till")
    world.restore(empty)
    return Owner(queue_url=queuemaking.create(_ID, "One"))


def receive(owner: Owner, wait: int = 0) -> list[Message]:
    return queues.receive(owner, 10, lease_seconds=30, wait_seconds=wait)


def test_a_lease_ends_and_what_was_received_ten_times_is_dead(owner: Owner, world: World) -> None:
    queues.send(owner, _POINTERS[:1])
    for delivery in range(1, queues.MAX_DELIVERIES + 1):
        assert [message.deliveries for message in receive(owner)] == [delivery]
        assert receive(owner) == []
        passing.wait(30)
    assert receive(owner) == []
    (dead,) = world.pending.queues["TheDead"]
    assert (dead["consumer_id"], dead["event_id"]) == (_ID, _POINTERS[0].event_id)


def test_a_poll_waits_until_something_is_visible(owner: Owner) -> None:
    queues.send(owner, _POINTERS)
    queues.extend(owner, [(message.receipt, 1) for message in receive(owner)])
    began = passing.waited()
    assert len(receive(owner, wait=2)) == 3
    assert 1 <= passing.waited() - began < 2


def test_a_lease_that_is_over_can_not_be_extended_and_an_old_receipt_deletes_nothing(owner: Owner) -> None:
    queues.send(owner, _POINTERS[:1])
    (old,) = receive(owner)
    passing.wait(30)
    assert queues.extend(owner, [(old.receipt, 10)]) == ["MessageNotInflight"]
    (new,) = receive(owner)
    assert queues.acknowledge(owner, [old.receipt]) == [None]
    assert queues.depth(owner).leased == 1
    assert queues.extend(owner, [(new.receipt, queues.LONGEST_LEASE_SECONDS + 1), ("x", 1)]) == [
        "InvalidParameterValue",
        "ReceiptHandleIsInvalid",
    ]


def test_the_name_of_a_deleted_queue_is_free_after_a_minute(owner: Owner) -> None:
    queuedeleting.delete(_ID)
    with pytest.raises(QueueGone):
        receive(owner)
    with pytest.raises(Unavailable):
        queuemaking.create(_ID, "One")
    passing.wait(60)
    assert queuemaking.create(_ID, "One") == owner.queue_url


def test_everything_is_as_it_was_when_it_is_restored(owner: Owner, world: World) -> None:
    queues.send(owner, _POINTERS)
    before = world.snapshot()
    receive(owner)
    queuedeleting.delete(_ID)
    world.restore(before)
    assert len(receive(owner)) == 3


@pytest.mark.parametrize(
    ("fault", "untaken", "sent"),
    [
        (Fault.PARTLY, _POINTERS[2:], 2),
        (Fault.ERROR, _POINTERS, 0),
        (Fault.THROTTLED, _POINTERS, 0),
        (Fault.LOST, _POINTERS, 6),  # It was done each time that botocore sent it.
        (Fault.LOST_ONCE, [], 6),
    ],
)
def test_what_may_not_have_been_sent_is_said_to_be_so(
    owner: Owner, world: World, fault: Fault, untaken: list[Pointer], sent: int
) -> None:
    world.wire.reset()
    world.wire.plan = once(0, fault)
    assert queues.send(owner, _POINTERS) == untaken
    assert queues.depth(owner).waiting == sent


def test_a_call_is_known_again_whatever_the_queue_is_called(owner: Owner, world: World) -> None:
    world.wire.reset()
    queues.send(owner, _POINTERS)
    (call,) = world.wire.calls
    assert call == Call("nobody", "SendMessageBatch", "https://sqs.test/till-consumer-<id>")
    assert set(call.faults()) == set(Fault) - {Fault.CONFLICT, Fault.LATE}


def test_a_message_that_is_leased_and_not_told_of_comes_again(owner: Owner, world: World) -> None:
    queues.send(owner, _POINTERS)
    for fault, raised in ((Fault.LOST, Unavailable), (Fault.CRASH, Gone)):
        world.wire.reset()
        world.wire.plan = once(0, fault)
        with pytest.raises(raised):
            receive(owner)
        passing.wait(30)
    assert len(receive(owner)) == 3


def test_a_letter_to_another_queue_is_a_letter_still(world: World) -> None:
    aws.client("sqs").send_message(QueueUrl="PublishDeadLetters", MessageBody='{"key": "x"}')
    assert world.letters == [{"key": "x"}]
