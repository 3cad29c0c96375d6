"""Days of a shop in simulated time: many at once, everything that can go wrong, and every promise kept in the end."""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests import template
from tests.simulation.bugs import BUGS, Bug
from tests.simulation.day import Simulator
from tests.world import handler

# So much work, not so much time: a busy machine simulates as many.
FRESH_DAYS = 20
SEEDS = 1_000_000_000
DAYS_FOR_A_BUG = 60
DAYS_FOR_ALL = 40


def simulate(*arguments: str, hash_seed: str = "0") -> str:
    """Return what `make simulate` prints, in a process of its own: so the command that it tells shows the same again."""
    path = f"{template.ROOT / 'layers/shared'}:{template.ROOT}"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    done = subprocess.run(command, env=environment, cwd=template.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_days_that_nobody_has_seen_keep_every_promise(record_property: Callable[[str, object], None]) -> None:
    """A failure tells its seed, its shortened story, and the command that shows it again."""
    told = simulate("--seed", str(secrets.randbelow(SEEDS)), "--days", str(FRESH_DAYS))

    record_property("measured", f"simulated, {told.splitlines()[0]}")


def test_one_seed_is_one_day_whatever_a_process_hashes_by_and_whatever_days_it_has_seen() -> None:
    alone, after_another = simulate("--seed", "42", hash_seed="1"), simulate("--seed", "41", "--days", "2", hash_seed="2")

    assert alone.splitlines()[1] == after_another.splitlines()[1]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.what)
def test_a_bug_is_found(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, bug: Bug) -> None:
    """These are not in the product; each was put in, and days from the first on were simulated."""
    bug.put(monkeypatch)
    try:
        among = {name: command for name, command in simulator.register.items() if re.search(bug.among, name)}
        days = replace(simulator, register=among)
        found = any(days.run(seed).failure for seed in range(1, DAYS_FOR_A_BUG + 1))
    finally:
        handler.cache_clear()

    assert found


def test_every_function_that_writes_has_its_part_in_the_days(simulator: Simulator) -> None:
    # Nobody here is asked who they are; AWS rotates keys, and whoever deploys makes the first administrator and sets up.
    elsewhere = {"identity/authorize", "identity/rotate_keys", "identity/create_first_administrator", "eventflow/set_up"}
    idle = set(simulator.cloud.wiring.writers) - elsewhere
    for seed in range(1, DAYS_FOR_ALL + 1):
        simulator.run(seed)
        idle -= {call.function for call in simulator.cloud.wire.calls}
        if not idle:
            break

    assert idle == set()
