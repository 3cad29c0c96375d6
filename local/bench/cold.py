"""
bench-cold: a function's import and first event in a fresh process, against `import boto3; boto3.client("dynamodb")`.

CPU seconds, the least of several rounds each: what else the machine does can only add to them.
"""

import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local import LocalError
from local.bench import answers, package, plots, report
from local.bench.package import Function, Json
from local.bench.report import Budget
from local.process import console

ROUNDS = 5
# What comes so near its budget is measured more often before it is judged.
NEAR, MORE_ROUNDS = 0.93, 10
TRACES = 3
TRACED = ("-X", "importtime")
BUDGETS = {
    "orders/create_order": 1.4,
    "eventflow/accept_event": 1.4,
    "identity/authorize": 1.2,
    "identity/authorize, ES256": 1.6,
}
OTHERS = 1.8

OK, REFUSED = 200, 300
BASELINE = "boto3.client"
PACKAGES = {
    "botocore": {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"},
    "pydantic": {"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"},
    "powertools": {"aws_lambda_powertools"},
    "cryptography": {"_cffi_backend", "cryptography", "jwt"},
    "tillflow": {"rfc8785", "tillflow"},
}
RUNNING = "running"
COLUMNS = (*PACKAGES, "Python", RUNNING)
# The runtime writes this to stderr when the clock starts.
BEGINNING = "--- begin ---"
_IMPORTED = re.compile(r"import time: +(\d+) \| +\d+ \| +([\w.]+)$", re.MULTILINE)

TOLD = f"""\
Import and first sample event of each function, as `sam build` packages it, against `import boto3; boto3.client("dynamodb")`
in the same Python: CPU time of a fresh process, network stubbed below botocore, the least of {ROUNDS} rounds or more, the two
in turn. The last columns split the ratio: modules by package as they are imported, and what runs besides (clients are made,
the event is answered). Bytecode is in the package and was used."""

type Pair = tuple[float, float]


@dataclass(frozen=True)
class Start:
    """A function's start: its *ratio* to the baseline's, and which share of it passes in what."""

    ratio: float
    shares: Mapping[str, float]

    @property
    def parts(self) -> dict[str, float]:
        """What the ratio is made of."""
        return {part: share * self.ratio for part, share in self.shares.items()}


def run() -> None:
    """
    Measure every function, write the section and its plot.

    Raises:
        LocalError: a function failed, bytecode was not used, or a budget is exceeded.
    """
    with tempfile.TemporaryDirectory() as folder:
        starts = measure(package.with_session(package.build(Path(folder))))
    budgets = [Budget(name, start.ratio, BUDGETS.get(name, OTHERS)) for name, start in starts.items()]
    starts[BASELINE] = Start(1, _shares(None))
    limits = {budget.what: budget.most for budget in budgets}
    made = report.table("function", "ratio", "budget", *COLUMNS)
    for name, start in starts.items():
        most = f"{limits[name]:g}" if name in limits else ""
        made.add_row(name, f"{start.ratio:.2f}", most, *(f"{start.parts[column]:.2f}" for column in COLUMNS))
    report.show(made)
    bars = {name: start.parts for name, start in starts.items()}
    plots.parts("cold", "Import and first event of each function", bars, limits, "a bare boto3 client = 1")
    report.write(
        "cold",
        report.prose(TOLD),
        report.markdown(made),
        report.picture("cold", "Cold starts against a bare boto3 client"),
    )
    report.enforce(budgets)


def measure(functions: Mapping[str, Function]) -> dict[str, Start]:
    """Return every function's start, slowest first."""
    pairs: dict[str, list[Pair]] = {name: [] for name in functions}
    for number in range(ROUNDS):
        with console.status(f"round {number + 1} of {ROUNDS}"):
            for name, function in functions.items():
                pairs[name].append(_pair(function))
    for name in [name for name in functions if _ratio(pairs[name]) > NEAR * BUDGETS.get(name, OTHERS)]:
        with console.status(f"{name}, once more: near its budget"):
            pairs[name] += [_pair(functions[name]) for _ in range(MORE_ROUNDS)]
    with console.status("what dominates"):
        starts = {name: Start(_ratio(pairs[name]), _shares(function)) for name, function in functions.items()}
    return dict(sorted(starts.items(), key=lambda each: -each[1].ratio))


def _pair(function: Function) -> Pair:
    """Start *function* and, beside it in time, the baseline; return the seconds of both."""
    return _start(function)[0]["seconds"], package.run({"job": "baseline", "traced": False}, {})[0]["seconds"]


def _ratio(pairs: Sequence[Pair]) -> float:
    ours, bare = zip(*pairs, strict=True)
    return float(min(ours) / min(bare))


def _shares(function: Function | None) -> dict[str, float]:
    """Return which share of a start (None: the baseline's) is whose, from the least that each import took."""
    traces = []
    for _ in range(TRACES):
        if function:
            traces.append(_start(function, *TRACED))
        else:
            traces.append(package.run({"job": "baseline", "traced": True}, {}, *TRACED))
    seconds = min(measured["wall"] for measured, _ in traces)
    return shares_of(seconds, [errors for _, errors in traces], function.module if function else "")


def _start(function: Function, *options: str) -> tuple[Json, str]:
    """Start *function* once; with *options*, traced."""
    job = {
        "job": "cold",
        "path": [str(function.folder), *map(str, function.layers)],
        "module": function.module,
        "event": function.event,
        "answers": answers.answers(function.name),
        "traced": bool(options),
    }
    measured, errors = package.run(job, dict(function.environment) | answers.ENVIRONMENT, *options)
    answer = measured["answer"] or {}
    if measured["unanswered"] or answer.get("statusCode", OK) >= REFUSED or answer.get("batchItemFailures"):
        raise LocalError(f"{function.name} answered {answer}; not stubbed: {measured['unanswered']}")
    own = str(function.folder / f"{function.module}.py")
    if compiled := set(measured["compiled"]) - {own}:
        raise LocalError(f"{function.name} was started without the bytecode of {', '.join(sorted(compiled))}")
    return measured, errors


def shares_of(seconds: float, traces: Sequence[str], own: str) -> dict[str, float]:
    """Return which share of a start is whose: a package's modules (*own* is the function's), or what runs besides."""
    least: dict[str, int] = {}
    for trace in traces:
        for microseconds, module in _IMPORTED.findall(trace.partition(BEGINNING)[2]):
            least[module] = min(int(microseconds), least.get(module, sys.maxsize))
    spent = dict.fromkeys(COLUMNS, 0.0)
    for module, microseconds in least.items():
        spent[_package(module.partition(".")[0], own)] += microseconds / 1e6
    spent[RUNNING] = seconds - sum(spent.values())
    return {part: each / seconds for part, each in spent.items()}


def _package(module: str, own: str) -> str:
    if module == own:
        return "tillflow"
    return next((package for package, modules in PACKAGES.items() if module in modules), "Python")
