"""Measurements (`python -m local bench …`): ratios within one run, held against budgets, written to docs/measured.md."""

from argparse import Namespace, _SubParsersAction
from importlib import import_module
from typing import Any


def add_to(commands: "_SubParsersAction[Any]") -> None:
    """Add the command `bench` and what can be measured."""
    measures = commands.add_parser("bench").add_subparsers(dest="measure", required=True)
    for name in ("cost", "cold", "warm", "password"):
        measures.add_parser(name)
    for name, orders, buyers in (("load", 200, 16), ("sale", 2000, 64)):
        crowded = measures.add_parser(name)
        crowded.add_argument("--orders", type=int, default=orders)
        crowded.add_argument("--buyers", type=int, default=buyers)
        if name == "sale":
            crowded.add_argument("--units", type=int, default=1500)
    measures.add_parser("events").add_argument("--events", type=int, default=400)


def run(arguments: Namespace) -> None:
    """Measure what was asked for. Each imports what no other command needs."""
    measure = import_module(f"local.bench.{arguments.measure}").run
    measure(**{name: value for name, value in vars(arguments).items() if name in ("orders", "buyers", "units", "events")})
