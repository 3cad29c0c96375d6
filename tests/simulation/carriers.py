"""What carries events: streams in order and queues without, each as often as it takes, and now and then once more."""

import json
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests import template
from tests.faults.wiring import Wiring
from tests.simulation.lambdas import Lambdas, Outcome
from tests.simulation.scheduler import Scheduler
from tests.simulation.weather import Fate
from tillflow.values import clock

_SHARDS = 2
_MOST_RECORDS, _MOST_MESSAGES = 100, 10
_LATE_SECONDS = 90


@dataclass(slots=True)
class _Shard:
    """A part of a table's stream: what its reader has not taken yet, in order."""

    name: str
    function: str
    records: list[dict[str, Any]] = field(default_factory=list)
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Streams:
    """The tables' streams: a batch that fails comes again in halves, until it succeeds."""

    scheduler: Scheduler
    lambdas: Lambdas
    fate: Fate
    _shards: dict[str, _Shard] = field(default_factory=dict)

    def append(self, table: str, function: str, record: dict[str, Any]) -> None:
        """Append to the shard of the item's partition: the order of one item's records is kept."""
        number = zlib.crc32(record["dynamodb"]["NewImage"]["pk"]["S"].encode()) % _SHARDS
        name = f"stream {table}/{number} to {function}"
        shard = self._shards.setdefault(name, _Shard(name, function))
        shard.records.append(record)
        self._read_soon(shard)

    def _read_soon(self, shard: _Shard) -> None:
        if shard.busy or not shard.records:
            return
        shard.busy = True
        label = self.fate.again(shard.name)
        chance = self.fate.dice(f"way of {label}")
        late = self.fate.astray(f"{label} is late", chance)
        most = chance.randrange(1, _MOST_RECORDS)
        self.scheduler.after(chance.uniform(0, _LATE_SECONDS if late else 1), lambda: self._read(shard, label, most))

    def _read(self, shard: _Shard, label: str, most: int) -> None:
        batch = shard.records[:most]

        def done(outcome: Outcome) -> None:
            if outcome[1] is not None:
                self.scheduler.after(2, lambda: self._read(shard, self.fate.again(label), max(1, len(batch) // 2)))
                return
            if not self.fate.astray(f"{label} comes again", self.fate.dice(f"end of {label}")):
                del shard.records[: len(batch)]
            shard.busy = False
            self._read_soon(shard)

        self.lambdas.invoke(shard.function, {"Records": batch}, label, done)


@dataclass(slots=True)
class _Message:
    """A message of a queue, sent then (in milliseconds since 1970) and received so many times."""

    name: str
    body: str
    sent_at: int
    receives: int = 0

    def record(self) -> dict[str, Any]:
        """Return the message as Lambda gets it."""
        attributes = {"SentTimestamp": str(self.sent_at), "ApproximateReceiveCount": str(self.receives)}
        return {"messageId": self.name, "body": self.body, "attributes": attributes}


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues between the bus and its consumers, with their dead letters."""

    scheduler: Scheduler
    lambdas: Lambdas
    fate: Fate
    wiring: Wiring
    _visible: defaultdict[str, list[_Message]] = field(default_factory=lambda: defaultdict(list))
    _dead: defaultdict[str, list[_Message]] = field(default_factory=lambda: defaultdict(list))

    def send(self, queue: str, event: dict[str, Any], name: str) -> None:
        """Put an event into *queue*."""
        self._show(queue, _Message(self.fate.again(name), json.dumps(event), clock.milliseconds(clock.now())))

    def redrive(self) -> None:
        """Do what the README tells an operator to do with dead letters when a fault is mended."""
        for queue, messages in self._dead.items():
            for message in messages:
                message.receives = 0
                self._show(queue, message)
        self._dead.clear()

    def _show(self, queue: str, message: _Message) -> None:
        """Make a message visible; whoever polls takes several at once, in any order."""
        if not self._visible[queue]:
            label = self.fate.again(f"queue {queue}")
            wait = self.fate.dice(f"way of {label}").uniform(0, 1)
            self.scheduler.after(wait, lambda: self._receive(queue, label))
        self._visible[queue].append(message)

    def _receive(self, queue: str, label: str) -> None:
        visible = self._visible.pop(queue)
        self.fate.dice(f"order of {label}").shuffle(visible)
        batch = visible[:_MOST_MESSAGES]
        for message in visible[_MOST_MESSAGES:]:
            self._show(queue, message)
        for message in batch:
            message.receives += 1

        def done(outcome: Outcome) -> None:
            answer, error = outcome
            left = {message.name for message in batch}
            if error is None:
                left &= {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            chance = self.fate.dice(f"end of {label}")
            for message in batch:
                if message.name in left or self.fate.astray(f"{message.name} comes again", chance):
                    self._show_later(queue, message)

        records = [message.record() for message in batch]
        self.lambdas.invoke(self.wiring.consumers[queue], {"Records": records}, label, done)

    def _show_later(self, queue: str, message: _Message) -> None:
        if message.receives >= self.wiring.most_receives(queue):
            self._dead[queue].append(message)
        else:
            seconds = template.resources("AWS::SQS::Queue")[queue]["VisibilityTimeout"]
            self.scheduler.after(seconds, lambda: self._show(queue, message))
