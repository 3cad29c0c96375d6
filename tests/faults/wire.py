"""
The wire between the functions and AWS: it records every call, and breaks the one it is told to.

It sits below botocore's own retries (`before-send`), so that these run as in production, and answers requests itself:
DynamoDB's, Secrets Manager's and SQS' from memory, the others' by noting what was asked for.
"""

import base64
import io
import json
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

from tests.faults import passing
from tests.faults.dynamodb import DynamoDB, Refused
from tests.faults.secretstore import SecretStore
from tests.faults.sqs import SQS
from tillflow.contexts.payments.gateway import GatewayUnavailable
from tillflow.contexts.payments.sandbox import SandboxGateway

_CALL_SECONDS = 0.005
_READ_TIMEOUT_SECONDS = 3  # tillflow.runtime.aws waits that long
_WRITES = {
    "PutItem",
    "UpdateItem",
    "BatchWriteItem",
    "TransactWriteItems",
    "PutEvents",
    "SendEmail",
    "SendMessage",
    "StartExecution",
    "PutSecretValue",
    "UpdateSecretVersionStage",
    "CreateQueue",
    "DeleteQueue",
    "SendMessageBatch",
    "ReceiveMessage",  # it leases
    "DeleteMessageBatch",
    "ChangeMessageVisibilityBatch",
}
# Where a call may do a part of what it is asked for, and says so.
_IN_PARTS = {"PutEvents", "BatchWriteItem", "SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"}
# A consumer's queue has its id in its name: by chance, so no call is known again by it.
_BY_CHANCE = re.compile(r"[0-9a-f]{32}$")
_ATTEMPT = re.compile(rb"attempt=(\d+)")


class Fault(StrEnum):
    """What may happen to a call."""

    ERROR = "error before"  # 500, and nothing was done; botocore's own retries get the same
    LOST = "answer lost"  # it was done, every time botocore sent it, and no answer came
    LOST_ONCE = "answer lost once"  # it was done, no answer came, and botocore's retry gets one
    THROTTLED = "throttled"
    CONFLICT = "transaction conflict"
    PARTLY = "partly done"  # it answers 200: PutEvents and SQS' batches take all but one, BatchWriteItem nothing yet
    CRASH = "crash after"  # it was done, and the process is gone
    LATE = "done late"  # no answer came, botocore's retry gets one, and what was sent first arrives after that


class Gone(BaseException):
    """The process that ran the function is no more; *name* is what Step Functions calls that."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an AWS operation or of the gateway, by a *function*, on its *target*: tables, bus, machine, secret."""

    function: str
    operation: str
    target: str

    @property
    def writes(self) -> bool:
        """Tell whether it changes anything."""
        return self.operation in _WRITES or self.is_gateway

    @property
    def is_gateway(self) -> bool:
        """Tell whether it is a call of the payment gateway, as opposed to AWS."""
        return self.operation.startswith("gateway.")

    def faults(self) -> list[Fault]:
        """Return what may happen to it."""
        if self.is_gateway:
            return [Fault.ERROR, Fault.LOST, Fault.CRASH]
        faults = [Fault.ERROR, Fault.LOST, Fault.THROTTLED]
        if self.writes:
            faults += [Fault.LOST_ONCE, Fault.CRASH]
        if self.writes and "Table" in self.target and self.operation != "BatchWriteItem":
            faults.append(Fault.CONFLICT)
        if self.operation in _IN_PARTS:
            faults.append(Fault.PARTLY)
        return faults


def _take_a_while() -> None:
    passing.wait(_CALL_SECONDS)


type Plan = Callable[[int, Call], Fault | None]


def nothing_fails(_number: int, _call: Call) -> None:
    """Plan no fault."""


@dataclass(slots=True)
class _Invocation:
    """What runs: the function, until when it may, and what befalls its present call."""

    function: str = "nobody"
    until: float = float("inf")
    fault: Fault | None = None


# Of each actor its own; whoever has begun none shares this one.
_RUNS = ContextVar("_RUNS", default=_Invocation())  # noqa: B039 - written by nobody's calls only


class Wire:
    """
    Every call that is made, numbered from 0; *plan* says which to break.

    *pause* is called before each, by whoever makes it (interleavings), and *later* with what is to be done late.
    *on_events*, *on_letter*, *on_mail* and *on_start* are told what was asked for: the bus's entries, a letter, a machine and its
    input.
    """

    def __init__(self, dynamodb: DynamoDB, secrets: SecretStore) -> None:
        self.dynamodb = dynamodb
        self.secrets = secrets
        self.sqs = SQS()
        self.plan: Plan = nothing_fails
        self.calls: list[Call] = []
        self.pause: Callable[[], None] = _take_a_while
        self.later: Callable[[Callable[[], object]], object] = lambda deliver: deliver()
        self.on_events: Callable[[list[dict[str, Any]]], None]
        self.on_letter: Callable[[dict[str, Any]], None]
        self.on_mail: Callable[[dict[str, Any]], None]
        self.on_start: Callable[[str, dict[str, Any]], None]

    def reset(self) -> None:
        """Begin anew: no calls, no fault planned."""
        self.calls.clear()
        self.plan = nothing_fails

    def attach(self, session: botocore.session.Session) -> None:
        """Stand between the clients of *session* and the network."""
        # The stubs know handlers by keywords only; this one is called with the event's name before.
        session.register("before-send", self._send)  # type: ignore[arg-type]

    def runs(self, function: str, timeout: float) -> None:
        """Note that *function* now runs (of several actors, in this one), for at most *timeout* seconds."""
        _RUNS.set(_Invocation(function, passing.waited() + timeout))

    def gateway(self, name: str) -> Callable[..., Any]:
        """Return the sandbox gateway's method *name* with the wire before it."""
        method = getattr(SandboxGateway, name)

        def call(gateway: SandboxGateway, *arguments: Any) -> Any:
            fault = self._next(Call(_RUNS.get().function, f"gateway.{name}", ""))
            if fault is Fault.ERROR:
                raise GatewayUnavailable("injected: an error before")
            result = method(gateway, *arguments)
            if fault is Fault.LOST:
                raise GatewayUnavailable("injected: the answer is lost")
            if fault is Fault.CRASH:
                raise Gone("Runtime.ExitError")
            return result

        return call

    def _next(self, call: Call) -> Fault | None:
        self.pause()
        self.check_time()
        number = len(self.calls)
        self.calls.append(call)
        return self.plan(number, call)

    def check_time(self) -> None:
        """End the process if its time is up."""
        if passing.waited() >= _RUNS.get().until:
            raise Gone("Sandbox.Timedout")

    def _send(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        body = json.loads(_bytes(request.body))
        attempt = _ATTEMPT.search(_bytes(request.headers.get("amz-sdk-request", "attempt=1")))
        resent = attempt is not None and attempt[1] != b"1"
        if resent:
            self.check_time()
        else:
            _RUNS.get().fault = self._next(Call(_RUNS.get().function, operation, _target(operation, body)))
        return self._meet(_RUNS.get().fault, operation, body, request, resent=resent)

    def _meet(
        self, fault: Fault | None, operation: str, body: dict[str, Any], request: AWSPreparedRequest, *, resent: bool
    ) -> AWSResponse:
        """Answer *request* as *fault* has it."""
        match fault:
            case Fault.ERROR:
                return _answer(request, 500, {"__type": "InternalServerError", "message": "injected"})
            case Fault.THROTTLED:
                return _answer(request, 400, {"__type": "ThrottlingException", "message": "injected"})
            case Fault.CONFLICT:
                return _answer(request, 400, _conflict(operation, body))
            case Fault.PARTLY:
                return _answer(request, *self._do_partly(operation, body))
        if fault is Fault.LATE and not resent:
            self.later(lambda: self._deliver(operation, body, request))
            passing.wait(_READ_TIMEOUT_SECONDS)
            raise ReadTimeoutError(endpoint_url=request.url)
        response = self._deliver(operation, body, request)
        if fault is Fault.LOST or (fault is Fault.LOST_ONCE and not resent):
            passing.wait(_READ_TIMEOUT_SECONDS)
            raise ReadTimeoutError(endpoint_url=request.url)
        if fault is Fault.CRASH:
            raise Gone("Runtime.ExitError")
        return response

    def _deliver(self, operation: str, body: dict[str, Any], request: AWSPreparedRequest) -> AWSResponse:
        """Have it done."""
        status, answer = 200, dict[str, Any]()
        match operation:
            case "StartExecution":
                self.on_start(body["stateMachineArn"], json.loads(body["input"]))
                answer = {"executionArn": f"{body['stateMachineArn']}:execution", "startDate": 0}
            case "PutEvents":
                self.on_events(body["Entries"])
                answer = {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}] * len(body["Entries"])}
            case "SendMessage":
                self.on_letter(json.loads(body["MessageBody"]))
                answer = {"MessageId": "m"}
            case "GetMetricStatistics":
                answer = {"Label": body["MetricName"], "Datapoints": []}
            case "SendEmail":
                self.on_mail(body)
                answer = {"MessageId": "m"}
            case "Encrypt":
                sealed = json.dumps([body["EncryptionContext"], body["Plaintext"]])
                answer = {"CiphertextBlob": base64.b64encode(sealed.encode()).decode()}
            case "Decrypt":
                context, plaintext = json.loads(base64.b64decode(body["CiphertextBlob"]))
                assert context == body["EncryptionContext"]
                answer = {"Plaintext": plaintext}
            case _:
                status, answer = self._ask(operation, body)
        return _answer(request, status, answer)

    def _ask(self, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        store = next((store for store in (self.dynamodb, self.secrets, self.sqs) if store.knows(operation)), None)
        if store is None:
            pytest.fail(f"the harness does not know {operation}")
        try:
            return 200, store.do(operation, body)
        except Refused as refused:
            return 400, refused.body

    def _do_partly(self, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Do nothing of a BatchWriteItem, and all of another batch but its last entry; return the answer, which says so."""
        if operation == "BatchWriteItem":
            return 200, {"UnprocessedItems": body["RequestItems"]}
        *done, left = body["Entries"]
        if operation == "PutEvents":
            self.on_events(done)
            failed = {"ErrorCode": "ThrottlingException", "ErrorMessage": "injected"}
            return 200, {"FailedEntryCount": 1, "Entries": [{"EventId": "e"}] * len(done) + [failed]}
        status, answer = self._ask(operation, body | {"Entries": done})
        failed = {"Id": left["Id"], "Code": "InternalError", "Message": "injected"}
        return status, answer | {"Failed": [*answer.get("Failed", ()), failed]}


class _Raw(io.BytesIO):
    """An answer's bytes, as botocore reads them."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _bytes(text: Any) -> bytes:
    return text.encode() if isinstance(text, str) else bytes(text)


def _target(operation: str, body: dict[str, Any]) -> str:
    if operation == "TransactWriteItems":
        return "+".join(dict.fromkeys(action["TableName"] for item in body["TransactItems"] for action in item.values()))
    if operation == "BatchWriteItem":
        return "+".join(body["RequestItems"])
    if operation == "PutEvents":
        return str(body["Entries"][0]["EventBusName"])
    if queue := body.get("QueueUrl") or body.get("QueueName"):
        return _BY_CHANCE.sub("<id>", queue)
    return str(body.get("TableName") or body.get("stateMachineArn") or body.get("SecretId") or body.get("KeyId"))


def _conflict(operation: str, body: dict[str, Any]) -> dict[str, Any]:
    if operation != "TransactWriteItems":
        return {"__type": "TransactionConflictException", "message": "injected"}
    fine = [{"Code": "None"}] * (len(body["TransactItems"]) - 1)
    reasons = [*fine, {"Code": "TransactionConflict", "Message": "injected"}]
    return {"__type": "TransactionCanceledException", "message": "injected", "CancellationReasons": reasons}


def _answer(request: AWSPreparedRequest, status: int, body: dict[str, Any]) -> AWSResponse:
    return AWSResponse(request.url, status, HTTPHeaders(), _Raw(json.dumps(body).encode()))
