"""
bench-warm: the client's CPU of a request that finds its function warm, against one bare `transact_write_items`.

Both serialise, sign and parse for real; the network is stubbed below botocore. The least of many interleaved rounds.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local import ROOT, LocalError
from local.bench import answers, package, plots, report
from local.bench.package import Function
from local.bench.report import Budget
from local.process import step

ROUNDS = 60
CALLS = 10
CREATE_ORDER = "orders/create_order"
BUDGETS = {CREATE_ORDER: 2.5}
SAGA = "order_saga"
# The schedule is not a step.
NOT_A_STEP = "order_saga/resume_stuck_orders"

BARE = "bare"
COLUMNS = ("botocore", "powertools", "pydantic", "tillflow", "Python")

TOLD = f"""\
CPU time of a request to a warm function, against one bare boto3 `transact_write_items` of two items of the same size in the
same process. Serialising, signing and parsing are real, the network is stubbed below botocore; the least of {ROUNDS}
interleaved rounds of {CALLS}. The last columns split the ratio by package, each with all that it calls."""


@dataclass(frozen=True)
class Request:
    """A warm request: its *ratio* to the bare call, what it *asked* AWS for, and what part of its time passes in what."""

    ratio: float
    asked: int
    parts: Mapping[str, float]


def run() -> None:
    """
    Measure create_order and every step of the saga, write the section and its plot.

    Raises:
        LocalError: a function asked for what is not stubbed, or a budget is exceeded.
    """
    with tempfile.TemporaryDirectory() as folder:
        functions = package.build(Path(folder))
        with step("measure"):
            requests = measure([each for each in functions.values() if _is_measured(each)])
    made = report.table("function", "ratio", "budget", "AWS calls", *COLUMNS)
    for name, request in requests.items():
        most = f"{BUDGETS[name]:g}" if name in BUDGETS else ""
        made.add_row(
            name, f"{request.ratio:.2f}", most, str(request.asked), *(f"{request.parts[column]:.2f}" for column in COLUMNS)
        )
    report.show(made)
    bars = {name: request.parts for name, request in requests.items()}
    plots.parts("warm", "CPU time of a warm request", bars, BUDGETS, "a bare transact_write_items = 1")
    report.write(
        "warm",
        report.prose(TOLD),
        report.markdown(made),
        report.picture("warm", "Warm requests against a bare transact_write_items"),
    )
    report.enforce(Budget(name, request.ratio, BUDGETS[name]) for name, request in requests.items() if name in BUDGETS)


def measure(functions: list[Function]) -> dict[str, Request]:
    """Return every function's warm request, dearest first."""
    cases = {
        each.name: {
            "file": str(each.folder / f"{each.module}.py"),
            "event": each.event,
            "answers": answers.answers(each.name),
        }
        for each in functions
    }
    first = functions[0]
    job = {
        "job": "warm",
        "root": str(ROOT),
        "path": [str(first.layer)],
        "functions": cases,
        "bare": answers.bare_request(),
        "rounds": ROUNDS,
        "calls": CALLS,
    }
    measured, _ = package.run(job, dict(first.environment) | answers.ENVIRONMENT)
    if measured["refused"]:
        raise LocalError(f"not answered as it should be: {measured['refused']}")
    least = {name: min(seconds) for name, seconds in measured["seconds"].items()}
    requests = {}
    for name in sorted(cases, key=lambda name: -least[name]):
        ratio = least[name] / least[BARE]
        shares = measured["shares"][name]
        parts = {column: shares.get(column, 0) * ratio for column in COLUMNS}
        requests[name] = Request(ratio, len(measured["asked"][name]), parts)
    return requests


def _is_measured(function: Function) -> bool:
    return function.name == CREATE_ORDER or (function.name.startswith(f"{SAGA}/") and function.name != NOT_A_STEP)
