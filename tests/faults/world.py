"""
The stack in one process: its tables in memory, its functions as Lambda loads them, and the platform around them.

What a function sends is delivered by `drain`, and whatever fails is tried again as AWS does it: a stream's batch until
it succeeds, a queue's message as often as its redrive policy says, a state machine by its own Retry and Catch.
"""

import base64
import copy
import json
import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore import signers, useragent
from botocore.retries import quota

from tests import template
from tests.faults import passing
from tests.faults.dynamodb import DynamoDB, plain
from tests.faults.machine import Execution
from tests.faults.secretstore import SecretStore
from tests.faults.wire import Gone, Wire
from tests.faults.wiring import Wiring, matches, resource_of
from tests.world import JWKS, SECRETS, Context, handler
from tillflow.contexts.eventflow import door, pages, subscribers
from tillflow.contexts.identity import jwks, passwords
from tillflow.contexts.payments import gateways, sandbox
from tillflow.contexts.stock import homes, movements, shards
from tillflow.runtime import aws, secrets
from tillflow.storage.attributes import Item
from tillflow.values import clock

CART_SECRET = "the secret that carts are signed with"
_MOST_STREAM_ATTEMPTS = 50
_VISIBILITY_SECONDS = 150
# Nothing of the machine's own AWS configuration may reach a client.
_OF_TESTS = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "a-test",
    "AWS_SECRET_ACCESS_KEY": "a-test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(slots=True)
class Pending:
    """What has been sent and not yet delivered."""

    streams: defaultdict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    queues: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    starts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def anything(self) -> bool:
        """Tell whether there is something to deliver."""
        return any(self.streams.values()) or any(self.queues.values()) or bool(self.starts)


class World:
    """The stack, in a state that `snapshot` keeps and `restore` brings back."""

    def __init__(self, wire: Wire) -> None:
        self.wiring = Wiring()
        self.wire = wire
        self.pending = Pending()
        self.published: list[dict[str, Any]] = []
        self.letters: list[dict[str, Any]] = []
        self.mails: list[dict[str, Any]] = []
        self.executions: list[Execution] = []
        self.deliveries = 1  # how often each event reaches each of its targets
        self.last_error: BaseException | None = None
        wire.dynamodb.on_change, wire.on_events, wire.on_start = self._to_stream, self._to_bus, self.start
        wire.on_letter, wire.on_mail = self._to_letters, self._to_mails
        wire.sqs.on_dead = self._to_dead_letters

    # --- state

    def snapshot(self) -> Any:
        """Return everything that is stored or on its way."""
        stored = self.wire.dynamodb.snapshot(), self.wire.secrets.snapshot(), self.wire.sqs.snapshot()
        return stored, copy.deepcopy((self.pending, self.published, self.letters, self.mails)), passing.waited()

    def restore(self, snapshot: Any) -> None:
        """Make everything as it was; processes start cold."""
        stored, on_its_way, waited = snapshot
        tables, kept, queues = stored
        self.wire.dynamodb.restore(tables)
        self.wire.secrets.restore(kept)
        self.wire.sqs.restore(queues)
        self.pending, self.published, self.letters, self.mails = copy.deepcopy(on_its_way)
        passing.go_to(waited)
        passing.dice.seed(0)
        self.executions = []
        self.deliveries = 1
        self.wire.reset()
        secrets.forget()
        jwks.forget()
        gateways.forget()
        homes.forget()
        movements.forget()
        shards.forget()
        door.forget()
        pages.forget()
        subscribers.forget()

    def items(self, table: str) -> list[Item]:
        """Return every item of *table*, as plain values."""
        return [plain(item) for item in self.wire.dynamodb.tables[table].items.values()]

    # --- functions

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Run *function* (by name) once; `Gone` when its process ends before it answers."""
        seconds = template.functions()[function].timeout
        self.wire.runs(function, seconds)
        try:
            answer = handler(function)(json.loads(json.dumps(event)), Context(milliseconds=seconds * 1000))
            self.wire.check_time()
            return answer
        finally:
            self.wire.runs("nobody", float("inf"))

    # --- what was sent

    def _to_stream(self, table: str, image: dict[str, Any]) -> None:
        keys = {name: image[name] for name in ("pk", "sk") if name in image}
        change = {"ApproximateCreationDateTime": clock.epoch(clock.now()), "Keys": keys, "NewImage": image}
        record = {"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": change}
        for function, filters in self.wiring.streams.get(table, {}).items():
            if any(matches(each, record) for each in filters):
                self.hand_to_stream(table, function, record)

    def hand_to_stream(self, table: str, function: str, record: dict[str, Any]) -> None:
        """Take what a table's stream has for one of its readers."""
        self.pending.streams[table, function].append(record)

    def _to_letters(self, letter: dict[str, Any]) -> None:
        self.letters.append(letter)

    def _to_dead_letters(self, queue: str, body: dict[str, Any]) -> None:
        for _ in range(self.deliveries):
            self.hand_to_queue(queue, body)

    def hand_to_queue(self, queue: str, body: dict[str, Any]) -> None:
        """Take what was moved to a queue that a function reads."""
        self.pending.queues[queue].append(body)

    def _to_mails(self, mail: dict[str, Any]) -> None:
        self.mails.append(mail)

    def spoil_stream(self, table: str, outbox: bytes) -> None:
        """Let somebody have written an item of his own into *table*, with an *outbox* that nobody packed."""
        self._to_stream(table, {"pk": {"S": "JUNK"}, "sk": {"S": "JUNK"}, "outbox": {"B": base64.b64encode(outbox).decode()}})

    def _to_bus(self, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            self.to_bus(entry["Source"], entry["DetailType"], json.loads(entry["Detail"]))

    def to_bus(self, source: str, kind: str, envelope: dict[str, Any]) -> None:
        """Put an event on the bus, which hands it to every rule's target."""
        event = {"source": source, "detail-type": kind, "detail": envelope}
        self.published.append(event)
        for rule in self.wiring.rules:
            if matches(dict(rule.pattern), event):
                self.hand_to_target(rule.target, event)

    def hand_to_target(self, target: str, event: dict[str, Any]) -> None:
        """Take what the bus has for a rule's target."""
        for _ in range(self.deliveries):
            if target in self.wiring.machines:
                self.start(target, event["detail"])
            else:
                self.pending.queues[target].append(event)

    @staticmethod
    def pass_time(seconds: float) -> None:
        """Let *seconds* pass."""
        passing.wait(seconds)

    def start(self, machine: str, given: dict[str, Any]) -> None:
        """Take a state machine's start."""
        self.pending.starts.append((machine, given))

    # --- and its delivery

    def drain(self) -> None:
        """Deliver everything, and everything that causes."""
        while self.pending.anything():
            for table in dict.fromkeys(table for table, _ in self.pending.streams):
                self.deliver_stream(table)
            for queue in list(self.pending.queues):
                self.deliver_queue(queue)
            while self.pending.starts:
                self.execution(*self.pending.starts.pop(0)).run()

    def execution(self, machine: str, given: dict[str, Any]) -> Execution:
        """Return a new execution of *machine*."""
        execution = Execution(self.wiring.machines[machine], given, self.invoke)
        self.executions.append(execution)
        return execution

    def deliver_stream(self, table: str) -> None:
        """Hand a table's records to each of its stream's readers until it takes them."""
        for function in self.wiring.streams[table]:
            records = self.pending.streams.pop((table, function), [])
            if records and not self._takes(function, records):
                pytest.fail(f"a batch of {table}'s stream never succeeded at {function}: {self.last_error!r}")

    def _takes(self, function: str, records: list[dict[str, Any]]) -> bool:
        for _ in range(_MOST_STREAM_ATTEMPTS):
            if self._succeeds(function, {"Records": records}):
                return True
            passing.wait(1)
        return False

    def deliver_queue(self, queue: str) -> None:
        """Hand a queue's messages to their consumer until it takes them or the dead-letter queue does."""
        sent = {"SentTimestamp": str(clock.milliseconds(clock.now())), "ApproximateReceiveCount": "1"}
        messages = [
            {"messageId": f"{queue}-{number}", "body": json.dumps(body), "attributes": sent}
            for number, body in enumerate(self.pending.queues.pop(queue, []))
        ]
        function = self.wiring.consumers[queue]
        for start in range(0, len(messages), 10):
            batch = messages[start : start + 10]
            for _ in range(self.wiring.most_receives(queue)):
                batch = self._left_of(batch, function)
                if not batch:
                    break
                passing.wait(_VISIBILITY_SECONDS)
            if batch:
                pytest.fail(f"{len(batch)} messages of {queue} ended in its dead-letter queue")

    def _left_of(self, batch: list[dict[str, Any]], function: str) -> list[dict[str, Any]]:
        try:
            answer = self.invoke(function, {"Records": batch})
        except Gone:
            return batch
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        return [message for message in batch if message["messageId"] in failed]

    def run_schedule(self, name: str, event: dict[str, Any] | None = None) -> None:
        """Run a function that AWS runs by itself; where it fails, it runs again a minute later."""
        for _ in range(10):
            if self._succeeds(name, event or {}):
                return
            passing.wait(60)
        pytest.fail(f"{name} failed ten times: {self.last_error!r}")

    def _succeeds(self, function: str, event: dict[str, Any]) -> bool:
        try:
            self.invoke(function, event)
        except (Exception, Gone) as error:  # noqa: BLE001 - Lambda's own boundary: however it failed, it runs again
            self.last_error = error
            return False
        return True


def open_world[W: World](patch: pytest.MonkeyPatch, kind: Callable[[Wire], W]) -> W:
    """Return the stack, empty, as a world of this *kind*. Ends with *patch*."""
    keys = {name: SECRETS[name] for name in ("AccessKeySecret", "RefreshKeySecret")}
    store = SecretStore(dict.fromkeys(template.resources(template.SECRET), CART_SECRET) | keys)
    wire = Wire(DynamoDB(template.resources(template.TABLE)), store)
    wire.dynamodb.do("PutItem", {"TableName": "IdentityTable", "Item": JWKS})
    passing.install(patch)
    # What a guess costs a thief, nobody needs here, where every password is hashed a hundred times.
    patch.setattr(passwords, "MEMORY_KIB", 8)
    patch.setattr(passwords, "PASSES", 1)
    for name, value in (_environment() | _OF_TESTS).items():
        patch.setenv(name, value)
    for name in ("charge", "cancel"):
        patch.setattr(sandbox.SandboxGateway, name, wire.gateway(name))
    # What a request is signed with and what it says of its sender take a third of the time, and nobody reads them here.
    patch.setattr(signers.RequestSigner, "sign", lambda *_, **__: None)
    patch.setattr(useragent.UserAgentString, "to_string", lambda _: "tests")
    # botocore stops retrying when a client has seen some fifty failures: on AWS every process has clients of its own.
    patch.setattr(quota.RetryQuota, "acquire", lambda *_: True)
    aws.forget()
    wire.attach(aws._session())  # noqa: SLF001 - where every client that the product makes comes from
    return kind(wire)


def _environment() -> dict[str, str]:
    """Return every variable that any function has; a reference's value is the logical id, a parameter's its default."""
    variables: dict[str, Any] = {}
    for function in template.functions().values():
        variables |= function.environment
    return {name: _resolved(value) for name, value in variables.items()}


def _resolved(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    if "Fn::Sub" in value:
        return template.filled_in(value["Fn::Sub"])
    name = resource_of(value)
    return template.default_of(name) if name in template.template()["Parameters"] else name
