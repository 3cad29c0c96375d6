"""
Lambda's Python runtime in small. The emulator's Python runs this file by its path, with one job as JSON on stdin.

It imports little, and nothing of ours or boto3's, before the clock runs. Each job answers with JSON on stdout:

    baseline  import boto3 and make a DynamoDB client
    cold      import a function, let it answer its first event
    warm      let functions answer their event again and again, in turn with a bare call of DynamoDB

The network ends in this process: clients are real up to botocore's HTTP session, which finds its answers here.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

type Json = dict[str, Any]

_HTTP = "botocore.httpsession"
# Whose answers depend on what is asked for.
_READS = ("BatchGetItem", "GetItem", "GetSecretValue", "Query")


class Context:
    """Lambda's context object, as far as it is looked at."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"
    function_name = "function"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    memory_limit_in_mb = 512

    def get_remaining_time_in_millis(self) -> int:
        """Return more than any function waits for."""
        return 120_000


class Network:
    """
    Stands where AWS is. *answers*: JSON by operation, or by operation and what is read, e.g. `GetItem ORDER`.

    It is a module finder too, because the HTTP session must be replaced when a function imports it, not before.
    """

    def __init__(self, answers: Json) -> None:
        self.calls: list[str] = []
        self.unanswered: set[str] = set()
        self.learn(answers)
        sys.meta_path.insert(0, self)

    def learn(self, answers: Json) -> None:
        """Answer so from now on."""
        self._answers = {asked: json.dumps(answer).encode() for asked, answer in answers.items()}

    def find_spec(self, name: str, path: Any = None, _target: ModuleType | None = None) -> ModuleSpec | None:
        """Let botocore's HTTP session load as always, then take its place."""
        if name != _HTTP:
            return None
        spec = PathFinder.find_spec(name, path)
        loader: Any = spec.loader if spec else None
        load = loader.exec_module

        def exec_module(module: Any) -> None:
            load(module)
            module.URLLib3Session.send = lambda _session, request: self.send(request)

        loader.exec_module = exec_module
        return spec

    def send(self, request: Any) -> Any:
        """Return the answer to a request that botocore has prepared."""
        from botocore.awsrequest import AWSResponse

        asked = _asked(request)
        self.calls.append(asked)
        body = self._answers.get(asked) or self._answers.get(asked.partition(" ")[0])
        if body is None:
            self.unanswered.add(asked)
            body = b'{"__type": "UnknownOperationException"}'
        status = 400 if b'"__type"' in body else 200
        headers: Any = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": Context.aws_request_id}
        return AWSResponse(request.url, status, headers, _Body(body))


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


def _asked(request: Any) -> str:
    target = request.headers["X-Amz-Target"]
    operation = (target.decode() if isinstance(target, bytes) else target).partition(".")[2]
    if operation not in _READS:
        return str(operation)
    body = json.loads(request.body)
    if operation == "GetSecretValue":
        return f"{operation} {body['SecretId']} {body.get('VersionStage', '')}"
    return f"{operation} {_key(body)['S'].partition('#')[0]}"


def _key(body: Json) -> Json:
    """Return the key that says what is read: a partition's; of a batch the first sort key, for partitions are mixed."""
    if "RequestItems" in body:
        (table, *_) = body["RequestItems"].values()
        return dict(table["Keys"][0]["sk"])
    return dict(body["Key"]["pk"] if "Key" in body else body["ExpressionAttributeValues"][":pk"])


def baseline(job: Json) -> Json:
    """Measure what every function that talks to DynamoDB with boto3 pays at least."""
    clock = Clock(traced=job["traced"])
    import boto3

    boto3.client("dynamodb")
    return clock.stop()


def cold(job: Json) -> Json:
    """Measure a function's start: its imports and its first event."""
    sys.path[:0] = job["path"]
    network = Network(job["answers"])
    time.sleep = lambda _: None  # who waits, waits for AWS
    clock = Clock(traced=job["traced"])
    answer = import_module(job["module"]).handler(job["event"], Context())
    return clock.stop() | {"answer": answer, "unanswered": sorted(network.unanswered)}


class Clock:
    """CPU and wall seconds from now. *traced*: also which files were compiled, and a mark on stderr for `-X importtime`."""

    def __init__(self, *, traced: bool) -> None:
        self._compiled: list[str] = []
        if traced:
            sys.addaudithook(self._note)
            print("--- begin ---", file=sys.stderr, flush=True)
        self._started = time.process_time(), time.perf_counter()

    def stop(self) -> Json:
        """Return what was measured."""
        cpu, wall = self._started
        return {
            "seconds": time.process_time() - cpu,
            "wall": time.perf_counter() - wall,
            "compiled": self._compiled,
        }

    def _note(self, event: str, arguments: Any) -> None:
        # Python compiles a module only where it finds no bytecode for it. (Generated code has no file.)
        if event == "compile" and arguments[1] and not str(arguments[1]).startswith("<"):
            self._compiled.append(os.fsdecode(arguments[1]))


def warm(job: Json) -> Json:
    """Measure requests to functions that have answered before."""
    sys.path[:0] = job["path"]
    sys.path.append(job["root"])  # Here no import is measured.
    from local.bench import rounds

    return rounds.measure(Network({}), Context(), job)


def main() -> None:
    """Do the job that is on stdin."""
    job = json.load(sys.stdin)
    # Functions log to stdout; on Lambda that is a pipe that somebody else reads.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    jobs: dict[str, Callable[[Json], Json]] = {"baseline": baseline, "cold": cold, "warm": warm}
    json.dump(jobs[job["job"]](job), answers)


if __name__ == "__main__":
    main()
