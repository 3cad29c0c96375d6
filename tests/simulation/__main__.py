"""`make simulate`: days of a shop, one after the other, each decided by its seed."""

import argparse
import secrets
import sys
import time
from collections import Counter

import pytest

from tests.simulation.setting import simulator
from tests.simulation.shorten import shorten

_SEEDS = 1_000_000_000


def main() -> int:
    """Simulate until the minutes are over and the days are enough, or a day fails; print what it was."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first day's (default: a fresh one); each day's is one more than the last's")
    parser.add_argument("--minutes", type=float, default=0, help="go on with further days for so long")
    parser.add_argument("--days", type=int, default=1, help="simulate at least so many")
    parser.add_argument("--only", default="", help="of the day's actions only these, e.g. 3,7")
    parser.add_argument("--transcript", action="store_true", help="print everything that happens")
    arguments = parser.parse_args()
    first = secrets.randbelow(_SEEDS) if arguments.seed is None else arguments.seed
    only = frozenset(map(int, arguments.only.split(","))) if arguments.only else None
    begun, figures, seed = time.monotonic(), Counter[str](), first
    with pytest.MonkeyPatch.context() as patch:
        days = simulator(patch)
        while figures["days"] < arguments.days or time.monotonic() - begun < arguments.minutes * 60:
            day = days.run(seed, actions=only)
            figures += day.figures
            if arguments.transcript:
                print(*day.transcript, sep="\n")
            if day.failure:
                print(shorten(days, day))
                return 1
            seed += 1
    seconds = time.monotonic() - begun
    told = ", ".join(f"{times} {name}" for name, times in figures.items())
    print(f"seeds {first} to {seed - 1}: {told} in {seconds:.0f} s; every promise was kept")
    print(f"the last day's digest: {day.digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
