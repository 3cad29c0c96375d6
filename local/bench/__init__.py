"""Measurements (`python -m local bench …`): ratios within one run, held against budgets, written to docs/measured.md."""

from argparse import Namespace, _SubParsersAction
from importlib import import_module
from typing import Any


def add_to(commands: "_SubParsersAction[Any]") -> None:
    """Add the command `bench` and what can be measured."""
    measures = commands.add_parser("bench").add_subparsers(dest="measure", required=True)
    for name in ("cost", "cold", "warm"):
        measures.add_parser(name)
    load = measures.add_parser("load")
    load.add_argument("--orders", type=int, default=200)
    load.add_argument("--buyers", type=int, default=16)


def run(arguments: Namespace) -> None:
    """Measure what was asked for. Each imports what no other command needs."""
    measure = import_module(f"local.bench.{arguments.measure}").run
    measure(arguments.orders, arguments.buyers) if arguments.measure == "load" else measure()
