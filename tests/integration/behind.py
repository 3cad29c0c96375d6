"""What is behind the API: tables, queues, the bus and the saga, looked at (and meddled with) as an operator could."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

import boto3

from local.platform.aws import ACCESS_KEY, SECRET_KEY, Aws
from local.platform.stack import Resource, Stack, resources
from local.wait import until
from local.watch import logs, trace
from tillflow.contexts.orders import tables
from tillflow.storage.attributes import Item, from_item, to_item

SECONDS = 60
MARKER = "test.marker"
STRANGER = "somebody"
QUEUE = "AWS::SQS::Queue"

type Json = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One run of the order saga: its *status* and the *states* it visited."""

    status: str
    states: list[str]


@dataclass
class Behind:
    """The AWS side of *stack*."""

    stack: Stack
    _orders: dict[str, str] = field(default_factory=dict)

    @property
    def aws(self) -> Aws:
        return self.stack.aws

    def client(self, service: str) -> Any:
        """Return a client with the account's own rights."""
        session = boto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=self.stack.region)
        made: Any = session.client(service, endpoint_url=self.stack.endpoint_url)  # type: ignore[call-overload]
        return made

    @cached_property
    def resources(self) -> list[Resource]:
        return list(resources(self.aws, self.stack.stack_name))

    def physical_id(self, name: str) -> str:
        """
        Return what a resource is called: a function's or role's name, a queue's URL.

        *name* is its logical id, for a consumer's with the consumer's in front (`EventLogQueue`).
        """
        return next(each.physical_id for each in self.resources if name in {each.logical_id, each.within + each.logical_id})

    def invoke(self, function: str, event: Json) -> Json:
        """Invoke a function and return its answer; one that raised fails the test."""
        answer = self.aws.lambda_.invoke(FunctionName=self.physical_id(function), Payload=json.dumps(event))
        text = answer["Payload"].read().decode()
        assert "FunctionError" not in answer, text
        return dict(json.loads(text))

    # Tables

    def item(self, table: str, key: dict[str, str]) -> Item | None:
        answer = self.aws.dynamodb.get_item(TableName=self.stack.tables[table], Key=to_item(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def items(self, table: str) -> Iterator[Item]:
        """Yield everything in a table."""
        for page in self.aws.dynamodb.get_paginator("scan").paginate(TableName=self.stack.tables[table]):
            yield from map(from_item, page["Items"])

    def charges(self, order_id: str) -> list[tuple[str, int]]:
        """Return status and amount of each charge that the sandbox made for the order, whatever became of it."""
        of_order = (item for item in self.items("SandboxChargesTable") if item["order_id"] == order_id)
        return [(item["status"], item["amount"]) for item in of_order if "reference" in item]

    # The saga

    def runs(self, order_id: str) -> list[Run]:
        """Return the saga's runs for an order, oldest first."""
        # The emulator lists them in no order, so the newest page is not enough.
        pages = self.aws.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self.stack.state_machines["OrderSaga"], PaginationConfig={"PageSize": 1000}
        )
        listed = [execution for page in pages for execution in page["executions"]]
        of_order = [each for each in listed if self._order_of(each["executionArn"]) == order_id]
        of_order.sort(key=lambda each: each["startDate"])
        return [Run(each["status"], self._states(each["executionArn"])) for each in of_order]

    def histories(self) -> Iterator[str]:
        """Yield what there is to read of every run of every state machine."""
        for machine in self.stack.state_machines.values():
            for page in self.aws.stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=machine):
                for each in page["executions"]:
                    history = self.aws.stepfunctions.get_paginator("get_execution_history")
                    yield from map(str, history.paginate(executionArn=each["executionArn"]))

    def _order_of(self, execution: str) -> str:
        if execution not in self._orders:
            described = self.aws.stepfunctions.describe_execution(executionArn=execution)
            self._orders[execution] = json.loads(described["input"])["data"]["order_id"]
        return self._orders[execution]

    def _states(self, execution: str) -> list[str]:
        pages = self.aws.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution)
        entered = [event.get("stateEnteredEventDetails") for page in pages for event in page["events"]]
        return [details["name"] for details in entered if details]

    def settle(self, order_id: str, runs: int = 1) -> list[Run]:
        """Wait until so many runs of the order's saga have ended and nothing is left to do; return them."""

        def settled() -> list[Run] | None:
            order = self.item("OrdersTable", tables.order_key(order_id))
            if order is None or "unsettled" in order:
                return None
            found = self.runs(order_id)
            return found if len(found) >= runs and all(run.status != "RUNNING" for run in found) else None

        return until(settled, seconds=SECONDS, what=f"the end of order {order_id}")

    @contextmanager
    def saga_held_off(self) -> Iterator[None]:
        """Let no saga start: a start that comes meanwhile is lost, as in an outage."""
        # On a bus of one's own, a rule's physical id is `<bus>|<rule>`.
        rule = {"Name": self.physical_id("OrderSagaOrderMoved").rpartition("|")[2], "EventBusName": self.stack.event_bus}
        self.aws.events.disable_rule(**rule)
        try:
            yield
        finally:
            self.aws.events.enable_rule(**rule)

    # The bus

    def put_event(self, source: str, kind: str, detail: Json) -> None:
        entry = {"EventBusName": self.stack.event_bus, "Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
        answer = self.aws.events.put_events(Entries=[entry])  # type: ignore[list-item]
        assert answer["FailedEntryCount"] == 0

    def events(self, trace_id: str, *expected: str) -> list[Json]:
        """
        Return every event of a trace, when each of the *expected* types is there.

        A marker follows them over the bus: what was on it before the marker is in the log when the marker is.
        """

        def complete() -> bool | None:
            return Counter(expected) <= Counter(event["event_type"] for event in self.logged(trace_id)) or None

        until(complete, seconds=SECONDS, what=f"the events {expected} of trace {trace_id}")
        marker = envelope(MARKER, {}, trace_id)
        self.put_event("tillflow.test", MARKER, marker)
        until(lambda: marker in self.logged(trace_id) or None, seconds=SECONDS, what="the marker after the events")
        return [event for event in self.logged(trace_id) if event["event_type"] != MARKER]

    def wait_for_events(self, trace_id: str, number: int) -> None:
        """Wait until the log has so many events of a trace."""
        until(lambda: len(self.logged(trace_id)) >= number or None, seconds=SECONDS, what=f"{number} events of {trace_id}")

    def logged(self, trace_id: str) -> list[Json]:
        """Return the envelopes of a trace that the event log has, in the order of time."""
        return trace.envelopes(self.aws.dynamodb, self.stack.tables["EventsTable"], trace_id)

    def all_events(self) -> list[Json]:
        """Return the envelope of every event that the event log has."""
        pages = self.aws.dynamodb.get_paginator("scan").paginate(TableName=self.stack.tables["EventsTable"])
        return [trace.envelope_of(item) for page in pages for item in page["Items"] if item["sk"]["S"] == "EVENT"]

    # Queues

    def queue(self, name: str) -> str:
        """Return a queue's URL."""
        return self.physical_id(name)

    @property
    def dead_letters(self) -> list[str]:
        """The URL of every dead-letter queue."""
        return [each.physical_id for each in self.resources if each.kind == QUEUE and each.logical_id.endswith("DeadLetters")]

    def messages(self, queue_url: str) -> int:
        """Return how many messages wait in a queue."""
        found = self.aws.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])

    def drain(self, queue_url: str) -> list[str]:
        """Return and delete the messages that wait in a queue."""
        bodies = []
        while found := self.aws.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(message["Body"])
                self.aws.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    @contextmanager
    def impatient(self, queue_url: str) -> Iterator[None]:
        """Let a queue bring a failed message again after a second."""
        before = self.aws.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        self.aws.sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"VisibilityTimeout": "1"})
        try:
            yield
        finally:
            self.aws.sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={**before})

    # Logs

    def log_lines(self) -> list[str]:
        """Return everything that the stack's functions and machines logged."""
        groups = (group["logGroupName"] for group in self.aws.logs.describe_log_groups()["logGroups"])
        return [line.message for group in groups for line in logs.lines(self.stack, group, group, 0)]


def envelope(kind: str, data: Json, trace_id: str | None = None) -> Json:
    """Return an event of somebody else's making in its envelope."""
    return {
        "event_id": str(uuid4()),
        "event_type": kind,
        "occurred_at": "2026-02-10T12:34:56.000Z",
        "trace_id": trace_id or str(uuid4()),
        "identity": {"user_id": STRANGER, "roles": []},
        "data": data,
        "version": 1,
    }
