"""
The wire between the functions and AWS: it records every call, and breaks the one it is told to.

It sits below botocore's own retries (`before-send`), so that these run as in production, and hands requests on to
moto. Two things it does itself, because moto does not: a transaction that is sent again under its `ClientRequestToken`
is the same transaction, and a write of an item with an outbox becomes a stream record.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.utilities import DynamoJsonEncoder

from tests.faults import passing
from tillflow.contexts.payments.gateway import GatewayUnavailable
from tillflow.contexts.payments.sandbox import SandboxGateway

ACCOUNT, REGION = "123456789012", "us-east-1"
_READ_TIMEOUT_SECONDS = 3  # tillflow.runtime.aws waits that long
_WRITES = {"PutItem", "UpdateItem", "TransactWriteItems", "PutEvents", "SendMessage", "StartExecution"}
_ATTEMPT = re.compile(rb"attempt=(\d+)")


class Fault(StrEnum):
    """What may happen to a call."""

    ERROR = "error before"  # 500, and nothing was done; botocore's own retries get the same
    LOST = "answer lost"  # it was done, every time botocore sent it, and no answer came
    LOST_ONCE = "answer lost once"  # it was done, no answer came, and botocore's retry gets one
    THROTTLED = "throttled"
    CONFLICT = "transaction conflict"
    PARTLY = "partly done"  # PutEvents answers 200 and takes all but one
    CRASH = "crash after"  # it was done, and the process is gone


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
        if self.writes and "Table" in self.target:
            faults.append(Fault.CONFLICT)
        if self.operation == "PutEvents":
            faults.append(Fault.PARTLY)
        return faults


def _go_on() -> None:
    """Do not pause."""


type Plan = Callable[[int, Call], Fault | None]


def nothing_fails(_number: int, _call: Call) -> None:
    """Plan no fault."""


class _Invocation(threading.local):
    """What runs in this thread: the function, until when it may, and what befalls its present call."""

    function = "nobody"
    until = float("inf")
    fault: Fault | None = None


class Wire:
    """
    Every call that is made, numbered from 0; *plan* says which to break.

    *pause* is called before each, in the caller's thread (interleavings). *on_image*, *on_events*, *on_letter* and
    *on_start* are told what was done: table and new image, the bus's entries, a dead letter, a machine and its input.
    """

    def __init__(self) -> None:
        self.plan: Plan = nothing_fails
        self.calls: list[Call] = []
        self.failures = 0
        self.pause: Callable[[], None] = _go_on
        self.on_image: Callable[[str, dict[str, Any]], None]
        self.on_events: Callable[[list[dict[str, Any]]], None]
        self.on_letter: Callable[[dict[str, Any]], None]
        self.on_start: Callable[[str, dict[str, Any]], None]
        self._invocation = _Invocation()
        self._done_tokens: dict[str, str] = {}

    def reset(self) -> None:
        """Begin anew: no calls, no fault planned."""
        self.calls.clear()
        self._done_tokens.clear()
        self.plan = nothing_fails
        self._invocation.fault = None

    def attach(self, session: botocore.session.Session) -> None:
        """Stand between the clients of *session* and moto."""
        # The stubs know handlers by keywords only; these two are called with the event's name before.
        session.unregister("before-send", botocore_stubber)  # type: ignore[arg-type]
        session.register("before-send", self._send)  # type: ignore[arg-type]

    def runs(self, function: str, timeout: float) -> None:
        """Note that *function* now runs in this thread, for at most *timeout* seconds."""
        self._invocation.function = function
        self._invocation.until = passing.monotonic() + timeout
        self._invocation.fault = None

    def gateway(self, name: str) -> Callable[..., Any]:
        """Return the sandbox gateway's method *name* with the wire before it."""
        method = getattr(SandboxGateway, name)

        def call(gateway: SandboxGateway, *arguments: Any) -> Any:
            fault = self._next(Call(self._invocation.function, f"gateway.{name}", ""))
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
        self._check_time()
        number = len(self.calls)
        self.calls.append(call)
        return self.plan(number, call)

    def _check_time(self) -> None:
        if passing.monotonic() >= self._invocation.until:
            raise Gone("Sandbox.Timedout")

    def _send(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        body = json.loads(_bytes(request.body))
        attempt = _ATTEMPT.search(_bytes(request.headers.get("amz-sdk-request", "attempt=1")))
        resent = attempt is not None and attempt[1] != b"1"
        if resent:
            self._check_time()
        else:
            self._invocation.fault = self._next(Call(self._invocation.function, operation, _target(operation, body)))
        return self._meet(self._invocation.fault, operation, body, request, resent=resent)

    def _meet(
        self, fault: Fault | None, operation: str, body: dict[str, Any], request: AWSPreparedRequest, *, resent: bool
    ) -> AWSResponse:
        """Answer *request* as *fault* has it."""
        self.failures += fault is not None
        match fault:
            case Fault.ERROR:
                return _answer(request, 500, {"__type": "InternalServerError", "message": "injected"})
            case Fault.THROTTLED:
                return _answer(request, 400, {"__type": "ThrottlingException", "message": "injected"})
            case Fault.CONFLICT:
                return _answer(request, 400, _conflict(operation, body))
            case Fault.PARTLY:
                return self._take_all_but_one(request, body)
        response = self._deliver(operation, body, request)
        if fault is Fault.LOST or (fault is Fault.LOST_ONCE and not resent):
            passing.wait(_READ_TIMEOUT_SECONDS)
            raise ReadTimeoutError(endpoint_url=request.url)
        if fault is Fault.CRASH:
            raise Gone("Runtime.ExitError")
        return response

    def _deliver(self, operation: str, body: dict[str, Any], request: AWSPreparedRequest) -> AWSResponse:
        """Have it done, and tell what was."""
        if operation == "StartExecution":
            self.on_start(body["stateMachineArn"], json.loads(body["input"]))
            return _answer(request, 200, {"executionArn": f"{body['stateMachineArn']}:execution", "startDate": 0})
        if operation == "GetItem" and "ProjectionExpression" not in body:
            # A third of all calls, and moto takes longest to write what an item looks like.
            found = _image(body["TableName"], _key(body["Key"]))
            return _answer(request, 200, {"Item": found} if found else {})
        token = body.get("ClientRequestToken")
        if token in self._done_tokens:
            if self._done_tokens[token] != json.dumps(body):
                pytest.fail("a ClientRequestToken came again with another transaction")
            return _answer(request, 200, {})
        before = {key: _image(*key) for key in _written(operation, body)}
        response: AWSResponse | None = botocore_stubber(operation, request)
        if response is None:
            pytest.fail(f"moto does not know {operation}")
        if response.status_code == HTTPStatus.OK:
            if token:
                self._done_tokens[token] = json.dumps(body)
            if operation == "PutEvents":
                self.on_events(body["Entries"])
            if operation == "SendMessage":
                self.on_letter(json.loads(body["MessageBody"]))
            self._tell_changes(before)
        return response

    def _tell_changes(self, before: dict[tuple[str, str], dict[str, Any] | None]) -> None:
        """Tell of every item that is not as it was; what changes nothing is not in a stream."""
        for (table, key), image in before.items():
            after = _image(table, key)
            if after and after != image:
                self.on_image(table, after)

    def _take_all_but_one(self, request: AWSPreparedRequest, body: dict[str, Any]) -> AWSResponse:
        *taken, _ = body["Entries"]
        self.on_events(taken)
        failed = {"ErrorCode": "ThrottlingException", "ErrorMessage": "injected"}
        return _answer(request, 200, {"FailedEntryCount": 1, "Entries": [{"EventId": "e"}] * len(taken) + [failed]})


def _bytes(text: Any) -> bytes:
    return text.encode() if isinstance(text, str) else bytes(text)


def _target(operation: str, body: dict[str, Any]) -> str:
    if operation == "TransactWriteItems":
        return "+".join(dict.fromkeys(table for table, _ in _written(operation, body)))
    if operation == "PutEvents":
        return str(body["Entries"][0]["EventBusName"])
    return str(body.get("TableName") or body.get("stateMachineArn") or body.get("SecretId") or body.get("QueueUrl"))


def _written(operation: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the table and key (as JSON) of each item that a request may change."""
    actions = {"PutItem": [body], "UpdateItem": [body]}.get(operation, [])
    if operation == "TransactWriteItems":
        actions = [action for item in body["TransactItems"] for action in item.values()]
    return [(action["TableName"], _key(action.get("Key") or action["Item"])) for action in actions]


def _key(item: dict[str, Any]) -> str:
    return json.dumps({name: item[name] for name in ("pk", "sk") if name in item})


def _image(table: str, key: str) -> dict[str, Any] | None:
    """Return the stored item as a stream record would show it."""
    values = {name: DynamoType(value) for name, value in json.loads(key).items()}
    item = dynamodb_backends[ACCOUNT][REGION].tables[table].get_item(values["pk"], values.get("sk"))
    return json.loads(json.dumps(item.to_json()["Attributes"], cls=DynamoJsonEncoder)) if item else None


def _conflict(operation: str, body: dict[str, Any]) -> dict[str, Any]:
    if operation != "TransactWriteItems":
        return {"__type": "TransactionConflictException", "message": "injected"}
    fine = [{"Code": "None"}] * (len(body["TransactItems"]) - 1)
    reasons = [*fine, {"Code": "TransactionConflict", "Message": "injected"}]
    return {"__type": "TransactionCanceledException", "message": "injected", "CancellationReasons": reasons}


def _answer(request: AWSPreparedRequest, status: int, body: dict[str, Any]) -> AWSResponse:
    return AWSResponse(request.url, status, HTTPHeaders(), MockRawResponse(json.dumps(body)))
