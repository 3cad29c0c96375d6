"""SQS in memory, as far as the stack asks for queues of its own: leases, deliveries that are counted, dead letters."""

import copy
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults import passing
from tests.faults.dynamodb import Refused

type Body = dict[str, Any]

_URL = "https://sqs.test/"
_MISSING = "QueueDoesNotExist"
# AWS' limits: of one batch; for how long the name of a deleted queue is not free; for how long a message is leased.
_BATCH, _DELETED_SECONDS, _LONGEST_LEASE = 10, 60, 43_200
_POLL_SECONDS = 0.25


@dataclass(slots=True)
class Letter:
    """A message: when it was sent, from when on it is visible, how often it was received, and when it was the last time."""

    number: int
    body: str
    group: str | None
    sent_at: float
    visible_at: float
    receives: int = 0
    received_at: float = 0.0

    @property
    def receipt(self) -> str:
        """Its latest lease's."""
        return f"{self.number}.{self.receives}"


@dataclass(slots=True)
class Queue:
    """A queue's messages in their order, and what it was made with."""

    attributes: dict[str, str]
    tags: dict[str, str]
    letters: list[Letter] = field(default_factory=list)


class SQS:
    """The queues by name. *on_dead* gets what was received too often: the queue that it goes to, and its body."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.on_dead: Callable[[str, Body], None] = lambda _queue, _body: None
        self._deleted: dict[str, float] = {}
        self._numbers = itertools.count(1)

    def snapshot(self) -> Any:
        """Return everything that is kept."""
        return copy.deepcopy((self.queues, self._deleted))

    def restore(self, snapshot: Any) -> None:
        """Make everything as it was."""
        self.queues, self._deleted = copy.deepcopy(snapshot)

    def knows(self, operation: str) -> bool:
        """Tell whether this can be asked."""
        return hasattr(self, f"_do_{operation}")

    def do(self, operation: str, body: Body) -> Body:
        """
        Answer a request.

        Raises:
            Refused: as SQS refuses it.
        """
        answer: Body = getattr(self, f"_do_{operation}")(body)
        return answer

    def _of(self, body: Body) -> Queue:
        name = body["QueueUrl"].removeprefix(_URL)
        if name not in self.queues:
            raise Refused(_MISSING, "The specified queue does not exist.")
        return self.queues[name]

    # --- queues

    def _do_CreateQueue(self, body: Body) -> Body:  # noqa: N802 - the operation's name
        name = body["QueueName"]
        made = Queue(body.get("Attributes", {}), body.get("tags", {}))
        if self._deleted.get(name, float("-inf")) + _DELETED_SECONDS > passing.waited():
            raise Refused("AWS.SimpleQueueService.QueueDeletedRecently")
        if self.queues.setdefault(name, made).attributes != made.attributes:
            raise Refused("QueueNameExists")
        return {"QueueUrl": _URL + name}

    def _do_GetQueueUrl(self, body: Body) -> Body:  # noqa: N802
        url = _URL + body["QueueName"]
        self._of({"QueueUrl": url})
        return {"QueueUrl": url}

    def _do_DeleteQueue(self, body: Body) -> Body:  # noqa: N802
        self._of(body)
        name = body["QueueUrl"].removeprefix(_URL)
        del self.queues[name]
        self._deleted[name] = passing.waited()
        return {}

    def _do_ListQueues(self, body: Body) -> Body:  # noqa: N802
        return {"QueueUrls": [_URL + name for name in self.queues if name.startswith(body.get("QueueNamePrefix", ""))]}

    def _do_GetQueueAttributes(self, body: Body) -> Body:  # noqa: N802
        letters = self._of(body).letters
        waiting = sum(letter.visible_at <= passing.waited() for letter in letters)
        counts = {"ApproximateNumberOfMessages": waiting, "ApproximateNumberOfMessagesNotVisible": len(letters) - waiting}
        return {"Attributes": {name: str(number) for name, number in counts.items()}}

    # --- messages

    def _do_SendMessageBatch(self, body: Body) -> Body:  # noqa: N802
        queue = self._of(body)

        def send(entry: Body) -> Body:
            now = passing.waited()
            letter = Letter(next(self._numbers), entry["MessageBody"], entry.get("MessageGroupId"), now, now)
            queue.letters.append(letter)
            return {"MessageId": str(letter.number), "MD5OfMessageBody": ""}

        return _each(body, send)

    def _do_ReceiveMessage(self, body: Body) -> Body:  # noqa: N802
        until = passing.waited() + body.get("WaitTimeSeconds", 0)
        assert 1 <= body["MaxNumberOfMessages"] <= _BATCH
        while not (found := self._visible(self._of(body), body["MaxNumberOfMessages"])) and passing.waited() < until:
            passing.wait(min(_POLL_SECONDS, until - passing.waited()))
        return {"Messages": [_leased(letter, body["VisibilityTimeout"]) for letter in found]} if found else {}

    def _visible(self, queue: Queue, most: int) -> list[Letter]:
        """Return what may be received; what was too often goes where the queue's policy says."""
        policy = json.loads(queue.attributes.get("RedrivePolicy", "{}"))
        visible = [letter for letter in queue.letters if letter.visible_at <= passing.waited()]
        dead = [letter for letter in visible if policy and letter.receives >= int(policy["maxReceiveCount"])]
        for letter in dead:
            queue.letters.remove(letter)
            self.on_dead(policy["deadLetterTargetArn"], json.loads(letter.body))
        return [letter for letter in visible if letter not in dead][:most]

    def _do_DeleteMessageBatch(self, body: Body) -> Body:  # noqa: N802
        queue = self._of(body)

        def delete(entry: Body) -> Body:
            _number_of(entry)
            # An older lease's receipt is told "done" too, and does nothing.
            queue.letters = [letter for letter in queue.letters if letter.receipt != entry["ReceiptHandle"]]
            return {}

        return _each(body, delete)

    def _do_ChangeMessageVisibilityBatch(self, body: Body) -> Body:  # noqa: N802
        queue = self._of(body)

        def change(entry: Body) -> Body:
            number, until = _number_of(entry), passing.waited() + entry["VisibilityTimeout"]
            leased = [letter for letter in queue.letters if letter.number == number and letter.visible_at > passing.waited()]
            if not leased or leased[0].receipt != entry["ReceiptHandle"]:
                raise Refused("MessageNotInflight")
            if until > leased[0].received_at + _LONGEST_LEASE:
                raise Refused("InvalidParameterValue", "Total VisibilityTimeout for the message is beyond the limit.")
            leased[0].visible_at = until
            return {}

        return _each(body, change)


def _leased(letter: Letter, seconds: float) -> Body:
    letter.receives += 1
    letter.visible_at = passing.waited() + seconds
    letter.received_at = passing.waited()
    attributes = {"ApproximateReceiveCount": str(letter.receives)}
    return {"MessageId": str(letter.number), "ReceiptHandle": letter.receipt, "Body": letter.body, "Attributes": attributes}


def _number_of(entry: Body) -> int:
    number, dot, lease = entry["ReceiptHandle"].partition(".")
    if not (number.isascii() and number.isdecimal() and dot and lease.isascii() and lease.isdecimal()):
        raise Refused("ReceiptHandleIsInvalid")
    return int(number)


def _each(body: Body, act: Callable[[Body], Body]) -> Body:
    """Have each entry done for itself, as a batch is; what cannot be is told of."""
    entries = body["Entries"]
    assert len({entry["Id"] for entry in entries}) == len(entries) <= _BATCH
    answer: Body = {"Successful": [], "Failed": []}
    for entry in entries:
        try:
            answer["Successful"].append({"Id": entry["Id"], **act(entry)})
        except Refused as refused:
            told = {"Id": entry["Id"], "Code": refused.body["__type"], "Message": refused.body["message"], "SenderFault": True}
            answer["Failed"].append(told)
    return answer
