"""Days of a shop in simulated time: many at once, everything that can go wrong, and every promise kept in the end."""

import os
import re
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from tests import template
from tests.simulation.bugs import BUGS, Bug
from tests.simulation.day import Simulator
from tests.simulation.shorten import shorten
from tests.world import handler

# So much work, not so much time: a busy machine simulates as many.
FRESH_DAYS = 20
SEEDS = 1_000_000_000
DAYS_FOR_A_BUG = 15


def test_days_that_nobody_has_seen_keep_every_promise(
    simulator: Simulator, record_property: Callable[[str, object], None]
) -> None:
    """A failure tells its seed, its shortened story, and the command that shows it again."""
    first, figures = secrets.randbelow(SEEDS), Counter[str]()
    for seed in range(first, first + FRESH_DAYS):
        day = simulator.run(seed)
        if day.failure:
            pytest.fail(str(shorten(simulator, day)))
        figures += day.figures
    told = ", ".join(f"{times:,} {name}" for name, times in figures.items())
    record_property("measured", f"simulated, seeds {first} to {seed}: {told}; every promise was kept")


def test_one_seed_is_one_day_in_every_process(simulator: Simulator) -> None:
    """Whatever the process hashes by, and whatever days it has seen before."""
    simulator.run(41)
    here = simulator.run(42).digest
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{template.ROOT / 'layers/shared'}:{template.ROOT}"}

    for hash_seed in ("1", "2"):
        command = [sys.executable, "-m", "tests.simulation", "--seed", "42"]
        variables = environment | {"PYTHONHASHSEED": hash_seed}
        there = subprocess.run(command, env=variables, cwd=template.ROOT, capture_output=True, text=True, check=True)
        assert re.search(r"digest: (\w+)", there.stdout)[1] == here  # type: ignore[index]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.what)
def test_a_bug_is_found(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, bug: Bug) -> None:
    """These are not in the product; each was put in, and days from the first on were simulated."""
    bug.put(monkeypatch)
    try:
        found = any(simulator.run(seed).failure for seed in range(1, DAYS_FOR_A_BUG + 1))
    finally:
        handler.cache_clear()

    assert found


def test_every_function_that_writes_has_its_part_in_the_days(simulator: Simulator) -> None:
    played = set[str]()
    for seed in range(1, 6):
        simulator.run(seed)
        played |= {call.function for call in simulator.cloud.wire.calls}

    assert simulator.cloud.wiring.writers - played == set()
