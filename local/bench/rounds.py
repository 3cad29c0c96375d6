"""
The warm job of `runtime.py`, in its process: cases called in turn, round after round, on CPU time.

Everything that a case prints, asks and answers is real but the network, which answers at once.
"""

import os
import time
from collections.abc import Callable
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Protocol

type Json = dict[str, Any]

_OK = 200
_OURS = "tillflow"
# What is measured bare, as boto3 names it and as DynamoDB does.
_OPERATIONS = {"put_item": "PutItem", "transact_write_items": "TransactWriteItems"}
_PACKAGES = {
    _OURS: ("/tillflow/", "Function/"),
    "botocore": ("/botocore/", "/boto3/"),
    "cryptography": ("/jwt/", "/cryptography/", "cryptography."),
    "pydantic": ("pydantic",),
    "powertools": ("/aws_lambda_powertools/",),
}


class Network(Protocol):
    """What is used of the stand-in for AWS."""

    calls: list[str]
    unanswered: set[str]

    def learn(self, answers: Json) -> None:
        """Answer so from now on."""


def measure(network: Network, context: object, job: Json) -> Json:
    """Return the CPU seconds of the bare call and of requests to functions, and what they asked and spent them on."""
    bare = _bare_client()
    cases = {
        name: Case(network, {_OPERATIONS[call]: {}}, partial(getattr(bare, call), **asked))
        for name, (call, asked) in job["bare"].items()
    }
    cases |= {name: Case(network, each["answers"], _handling(each, context)) for name, each in job["functions"].items()}
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


def _handling(function: Json, context: object) -> Callable[[], Any]:
    spec = spec_from_file_location("function", function["file"])
    assert spec is not None  # noqa: S101 - for the type checker: the file is there
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda: module.handler(function["event"], context)


def _bare_client() -> Any:
    """Return boto3's client of DynamoDB, with nothing around it."""
    import boto3

    # The layer's botocore has the data of our services only; boto3 looks for more, which is beside it where it is from.
    os.environ["AWS_DATA_PATH"] = str(Path(boto3.__file__).parents[1] / "botocore" / "data")
    client: Any = boto3.client("dynamodb")
    del os.environ["AWS_DATA_PATH"]
    return client
