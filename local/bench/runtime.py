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
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

type Json = dict[str, Any]

_HTTP = "botocore.httpsession"
# Whose answers depend on what is asked for.
_READS = ("GetItem", "GetSecretValue", "Query")
_OK = 200
_OURS = "tillflow"
_PACKAGES = {
    _OURS: ("/tillflow/", "Function/"),
    "botocore": ("/botocore/", "/boto3/"),
    "pydantic": ("pydantic",),
    "powertools": ("/aws_lambda_powertools/",),
}


class Context:
    """Lambda's context object, as far as it is looked at."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"
    function_name = "function"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    memory_limit_in_mb = 512

    def get_remaining_time_in_millis(self) -> int:
        """Return a whole time-out."""
        return 25_000


class Network:
    """
    Stands where AWS is. *answers*: JSON by operation, or by operation and what is read, e.g. `GetItem ORDER`.

    It is a module finder too, because the HTTP session must be replaced when a function imports it, not before.
    """

    def __init__(self, answers: Json) -> None:
        self.calls: list[str] = []
        self.unanswered: set[str] = set()
        self.learn(answers)
        sys.meta_path.insert(0, self)  # type: ignore[arg-type] # only `find_spec` is ever called

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
            module.URLLib3Session.send = lambda _session, request: self._send(request)

        loader.exec_module = exec_module
        return spec

    def _send(self, request: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        asked = _asked(request)
        self.calls.append(asked)
        body = self._answers.get(asked) or self._answers.get(asked.partition(" ")[0])
        if body is None:
            self.unanswered.add(asked)
            body = b'{"__type": "UnknownOperationException"}'
        status = 400 if b'"__type"' in body else 200
        headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": Context.aws_request_id}
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
        return f"{operation} {body['SecretId']} {body['VersionStage']}"
    key = body["Key"]["pk"] if operation == "GetItem" else body["ExpressionAttributeValues"][":pk"]
    return f"{operation} {key['S'].partition('#')[0]}"


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
    clock = Clock(traced=job["traced"])
    answer = import_module(job["module"]).handler(job["event"], Context())
    return clock.stop() | {"answer": answer, "unanswered": sorted(network.unanswered)}


class Clock:
    """CPU seconds from now. *traced*: also which files were compiled, and a mark on stderr for `-X importtime`."""

    def __init__(self, *, traced: bool) -> None:
        self._compiled: list[str] = []
        if traced:
            sys.addaudithook(self._note)
            print("--- begin ---", file=sys.stderr, flush=True)
        self._started = time.process_time()

    def stop(self) -> Json:
        """Return what was measured."""
        return {"seconds": time.process_time() - self._started, "compiled": self._compiled}

    def _note(self, event: str, arguments: Any) -> None:
        # Python compiles a module only where it finds no bytecode for it. (Generated code has no file.)
        if event == "compile" and arguments[1] and not str(arguments[1]).startswith("<"):
            self._compiled.append(os.fsdecode(arguments[1]))


def warm(job: Json) -> Json:
    """Measure the CPU of requests to functions that have answered before, in turn with that of the bare call."""
    sys.path[:0] = job["path"]
    network = Network({})
    cases = {"bare": Case(network, {"TransactWriteItems": {}}, _bare_call(job["bare"]))}
    cases |= {name: Case(network, each["answers"], _handling(each)) for name, each in job["functions"].items()}
    for case in cases.values():
        case.begin()
    asked = {name: case.begin() for name, case in cases.items()}
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(job["rounds"]):
        for name, case in cases.items():
            case.begin()
            seconds[name].append(case.seconds(job["calls"]))
    shares = {}
    for name in job["functions"]:
        cases[name].begin()
        shares[name] = cases[name].shares(job["calls"])
    refused = {name: case.refusal for name, case in cases.items() if case.refusal} | dict.fromkeys(network.unanswered, "?")
    return {"seconds": seconds, "asked": asked, "shares": shares, "refused": refused}


class Case:
    """Something to call again and again, with the answers that it gets from AWS."""

    def __init__(self, network: Network, answers: Json, call: Callable[[], Any]) -> None:
        self._network, self._answers, self._call = network, answers, call
        self.refusal: Any = None

    def begin(self) -> list[str]:
        """Have the network answer this case from now on; call it once, and return what that asked AWS for."""
        self._network.learn(self._answers)
        self._network.calls.clear()
        answer = self._call()
        if answer.get("statusCode", _OK) // 100 != _OK // 100:
            self.refusal = answer
        return list(self._network.calls)

    def seconds(self, calls: int) -> float:
        """Return the CPU seconds of one call, as the mean of a run of *calls*."""
        started = time.process_time()
        for _ in range(calls):
            self._call()
        return (time.process_time() - started) / calls

    def shares(self, calls: int) -> dict[str, float]:
        """Return which part of a call's time passes in which package, each with all that it calls."""
        from cProfile import Profile
        from pstats import Stats

        profile = Profile()
        profile.runcall(self.seconds, calls)
        spent: dict[str, float] = {}
        stats: Any = Stats(profile)
        for function, (_, _, own, _, callers) in stats.stats.items():
            package = _package(function)
            if package == _OURS:
                spent[package] = spent.get(package, 0) + own
                continue
            for caller, (_, _, _, cumulative) in callers.items():
                if _package(caller) == _OURS:
                    spent[package] = spent.get(package, 0) + cumulative
        return {package: each / sum(spent.values()) for package, each in spent.items()}


def _package(function: tuple[str, int, str]) -> str:
    """Return the package of a profiled *function* (file, line, name)."""
    file, _, name = function
    if file == "<string>":
        return _OURS  # a dataclass's generated methods
    place = file if file != "~" else name  # what is written in C is named by its type or module only
    return next((package for package, parts in _PACKAGES.items() if any(part in place for part in parts)), "Python")


def _handling(function: Json) -> Callable[[], Any]:
    spec = spec_from_file_location("function", function["file"])
    assert spec is not None  # noqa: S101 - for the type checker: the file is there
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda: module.handler(function["event"], Context())


def _bare_call(request: Json) -> Callable[[], Any]:
    """Return a call of TransactWriteItems with boto3 and nothing around it."""
    import boto3

    client: Any = boto3.client("dynamodb")
    return lambda: client.transact_write_items(**request)


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
