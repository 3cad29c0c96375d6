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
ACCEPT_EVENT = "eventflow/accept_event"
BUDGETS = {CREATE_ORDER: 2.5, ACCEPT_EVENT: 2.0}
BY_SESSION, MOST_CHECK_MS = "identity/authorize, ES256", 1.0
SAGA = "order_saga"
# The schedule is not a step.
NOT_A_STEP = "order_saga/resume_stuck_orders"

# What a function is held against: two items at once, or where it writes one, one.
BARE, BARE_PUT = "bare", "bare put"
BARES = {ACCEPT_EVENT: BARE_PUT}
COLUMNS = ("botocore", "cryptography", "powertools", "pydantic", "tillflow", "Python")

TOLD = f"""\
CPU time of a request to a warm function, against one bare boto3 `transact_write_items` of two items of the same size in the
same process; what accepts an event, against one `put_item` of as many bytes. Serialising, signing and parsing are real, the
network is stubbed below botocore; the least of {ROUNDS}
interleaved rounds of {CALLS}. The last columns split the ratio by package, each with all that it calls."""


@dataclass(frozen=True)
class Request:
    """A warm request: its *ratio* to the bare call, its *ms*, what it *asked* AWS for, and what of the ratio passes in what."""

    ratio: float
    ms: float
    asked: int
    parts: Mapping[str, float]


def run() -> None:
    """
    Measure create_order, the authorizer and every step of the saga, write the section and its plot.

    Raises:
        LocalError: a function asked for what is not stubbed, or a budget is exceeded.
    """
    with tempfile.TemporaryDirectory() as folder:
        functions = package.build(Path(folder))
        with step("measure"):
            requests = measure([each for each in package.with_session(functions).values() if _is_measured(each)])
    made = report.table("function", "ratio", "budget", "ms", "AWS calls", *COLUMNS)
    for name, request in requests.items():
        most = f"{BUDGETS[name]:g}" if name in BUDGETS else ""
        made.add_row(
            name,
            f"{request.ratio:.2f}",
            most,
            f"{request.ms:.2f}",
            str(request.asked),
            *(f"{request.parts[column]:.2f}" for column in COLUMNS),
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
    check = requests[BY_SESSION].ms * requests[BY_SESSION].parts["cryptography"] / requests[BY_SESSION].ratio
    report.enforce([Budget("ms of an ES256 check", check, MOST_CHECK_MS)])


def measure(functions: list[Function]) -> dict[str, Request]:
    """Return every function's warm request, dearest first."""
    cases = {
        each.label: {
            "file": str(each.folder / f"{each.module}.py"),
            "event": each.event,
            "answers": answers.answers(each.name),
        }
        for each in functions
    }
    widest = max(functions, key=lambda each: len(each.layers))
    job = {
        "job": "warm",
        "root": str(ROOT),
        "path": [*map(str, widest.layers)],
        "functions": cases,
        "bare": answers.bare_requests(),
        "rounds": ROUNDS,
        "calls": CALLS,
    }
    measured, _ = package.run(job, dict(widest.environment) | answers.ENVIRONMENT)
    if measured["refused"]:
        raise LocalError(f"not answered as it should be: {measured['refused']}")
    least = {name: min(seconds) for name, seconds in measured["seconds"].items()}
    requests = {}
    for name in sorted(cases, key=lambda name: -least[name]):
        ratio = least[name] / least[BARES.get(name, BARE)]
        shares = measured["shares"][name]
        parts = {column: shares.get(column, 0) * ratio for column in COLUMNS}
        requests[name] = Request(ratio, least[name] * 1000, len(measured["asked"][name]), parts)
    return requests


def _is_measured(function: Function) -> bool:
    is_step = function.name.startswith(f"{SAGA}/") and function.name != NOT_A_STEP
    return is_step or function.name in (CREATE_ORDER, ACCEPT_EVENT, package.AUTHORIZE)
