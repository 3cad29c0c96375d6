"""`make deliver`: is an event lost? A run in simulated time (delivering.py), decided by its seed."""

import argparse
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.simulation import setting
from tests.simulation.delivering import Run

_SEEDS = 1_000_000_000


@contextmanager
def place() -> Iterator[Callable[..., Run]]:
    """Yield what makes a run of a seed and so many events, each in a world of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        try:
            cloud = setting.empty(patch)
            nothing = cloud.snapshot()

            def opened(seed: int, events: int, note: Callable[[str], None] = lambda _: None) -> Run:
                cloud.restore(nothing)
                return Run(cloud, seed, events, note)

            yield opened
        finally:
            setting.close()


def main() -> int:
    """Deliver so many events as the seed has it; print what became of them."""
    parser = argparse.ArgumentParser(prog="make deliver", description=__doc__)
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--seed", type=int, help="default: a fresh one")
    parser.add_argument("--transcript", action="store_true", help="print everything that happens")
    arguments = parser.parse_args()
    seed = secrets.randbelow(_SEEDS) if arguments.seed is None else arguments.seed
    note = print if arguments.transcript else lambda _: None
    with place() as opened:
        return show(opened(seed, arguments.events, note))


def show(run: Run) -> int:
    """Let it run, and print what became of it; where a promise is broken, also how to see that again."""
    begun, told = time.monotonic(), run.delivered
    try:
        run.run()
        ended = f"every promise was kept ({time.monotonic() - begun:.0f} s)"
    except (AssertionError, pytest.fail.Exception) as error:
        ended = f"FAILED: {error}\nshow it again: make deliver EVENTS={told.events} SEED={told.seed}"
    print(*told.report(), ended, sep="\n")
    return ended.startswith("FAILED")


if __name__ == "__main__":
    sys.exit(main())
