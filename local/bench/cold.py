"""
bench-cold: a function's import and first event in a fresh process, against `import boto3; boto3.client("dynamodb")`.

CPU seconds, the least of several rounds: what else the machine does can only add to them.
"""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local import LocalError
from local.bench import answers, package, plots, report
from local.bench.package import Function, Json
from local.bench.report import Budget
from local.process import console

ROUNDS = 7
# The baseline is half of every ratio: measured once before each so many functions, not once a round.
BASELINE_EVERY = 4
BUDGETS = {"orders/create_order": 1.4, "identity/authorize": 1.2}
OTHERS = 1.8

OK, REFUSED = 200, 300
BASELINE = "boto3.client"
PACKAGES = {
    "botocore": {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"},
    "pydantic": {"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"},
    "powertools": {"aws_lambda_powertools"},
    "tillflow": {"rfc8785", "tillflow"},
}
RUNNING = "running"
COLUMNS = (*PACKAGES, "Python", RUNNING)
# The runtime writes this to stderr when the clock starts.
BEGINNING = "--- begin ---"
_IMPORTED = re.compile(r"import time: +(\d+) \| +\d+ \| +([\w.]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Start:
    """A function's start: its *ratio* to the baseline, and what part of that passes in what."""

    ratio: float
    parts: Mapping[str, float]


def run() -> None:
    """
    Measure every function, write the section and its plot.

    Raises:
        LocalError: a function failed, bytecode was not used, or a budget is exceeded.
    """
    with tempfile.TemporaryDirectory() as folder:
        starts = measure(package.build(Path(folder)))
    budgets = [Budget(name, start.ratio, BUDGETS.get(name, OTHERS)) for name, start in starts.items() if name != BASELINE]
    made = report.table("function", "ratio", "budget", *COLUMNS)
    for name, start in starts.items():
        most = "" if name == BASELINE else f"{BUDGETS.get(name, OTHERS):g}"
        made.add_row(name, f"{start.ratio:.2f}", most, *(f"{start.parts[column]:.2f}" for column in COLUMNS))
    report.show(made)
    limits = {budget.what: budget.most for budget in budgets}
    plots.parts("cold", {name: start.parts for name, start in starts.items()}, limits, "a bare boto3 client = 1")
    report.write(
        "cold",
        "Import and first sample event of each function, as `sam build` packages it, against"
        ' `import boto3; boto3.client("dynamodb")` in the same Python: CPU time of a fresh process, network stubbed below'
        f" botocore, the least of {ROUNDS} interleaved rounds. The last columns split the ratio: modules by package as they are"
        " imported, and what runs then (clients are made, the event is answered). Bytecode is in the package and was used.",
        report.markdown(made),
        report.picture("cold", "Cold starts against a bare boto3 client"),
    )
    report.enforce(budgets)


def measure(functions: Mapping[str, Function]) -> dict[str, Start]:
    """Return the baseline and every function, slowest first."""
    seconds: dict[str, list[float]] = {name: [] for name in (BASELINE, *functions)}
    for number in range(ROUNDS):
        with console.status(f"round {number + 1} of {ROUNDS}"):
            for place, function in enumerate(functions.values()):
                if place % BASELINE_EVERY == 0:
                    seconds[BASELINE].append(package.run({"job": "baseline", "traced": False}, {})[0]["seconds"])
                seconds[function.name].append(_start(function)[0]["seconds"])
    least = {name: min(each) for name, each in seconds.items()}
    with console.status("what dominates"):
        parts = {BASELINE: _parts(package.run({"job": "baseline", "traced": True}, {}, "-X", "importtime"))}
        parts |= {name: _parts(_start(function, "-X", "importtime"), function.module) for name, function in functions.items()}
    starts = {}
    for name in sorted(least, key=lambda name: -least[name]):
        ratio = least[name] / least[BASELINE]
        starts[name] = Start(ratio, {part: share * ratio for part, share in parts[name].items()})
    return starts


def _start(function: Function, *options: str) -> tuple[Json, str]:
    """Start *function* once; with *options*, traced."""
    event = function.event
    if function.name == "identity/authorize":
        # What most requests carry.
        event |= {"headers": {"Authorization": f"Bearer {answers.token()}"}}
    job = {
        "job": "cold",
        "path": [str(function.folder), str(function.layer)],
        "module": function.module,
        "event": event,
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


def _parts(traced: tuple[Json, str], own: str = "") -> dict[str, float]:
    measured, errors = traced
    return parts_of(measured["seconds"], errors, own)


def parts_of(seconds: float, trace: str, own: str) -> dict[str, float]:
    """Return which share of a start is whose: a package's modules (*own* is the function's), or what runs besides."""
    spent = dict.fromkeys(COLUMNS, 0.0)
    for microseconds, module in _IMPORTED.findall(trace.partition(BEGINNING)[2]):
        spent[_package(module.partition(".")[0], own)] += int(microseconds) / 1e6
    spent[RUNNING] = seconds - sum(spent.values())
    return {part: each / seconds for part, each in spent.items()}


def _package(module: str, own: str) -> str:
    if module == own:
        return "tillflow"
    return next((package for package, modules in PACKAGES.items() if module in modules), "Python")
