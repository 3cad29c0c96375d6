"""
bench-password: how long a password's hash takes on one full core, which is what Lambda gives 1,769 MB.

The hash is one thread's work, so a process that is held to one core has what that function has.
"""

import json
import subprocess
import sys
from statistics import median, quantiles

from local import ROOT
from local.bench import report
from local.bench.report import Budget
from local.process import step

ROUNDS = 100
MOST_MS = 100
FULL_CORE_MB = 1_769  # Lambda Developer Guide: at so much memory a function has the equivalent of one vCPU
SHARED_MB = 512  # what the other functions have

TOLD = f"""\
The hash of a password as `passwords.py` makes it (argon2id, m=19,456 KiB, t=2, p=1), {ROUNDS} times in a process of one core:
Lambda gives a function of {FULL_CORE_MB:,} MB as much. A right password, a wrong one and that of nobody are checked in turn.
The last column is what {SHARED_MB} MB would make of it, which gets {SHARED_MB / FULL_CORE_MB:.0%} of a core."""

_JOB = """\
import json, os, sys, time
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
from tillflow.contexts.identity import passwords
password = "kiosk vexed lunar gravel"
kept = passwords.hashed(password)
acts = {
    "hash": lambda: passwords.hashed(password),
    "check, right": lambda: passwords.matches(kept, password),
    "check, wrong": lambda: passwords.matches(kept, password + "!"),
    "check, nobody's": lambda: passwords.matches(None, password),
}
taken = {name: [] for name in acts}
for _ in range(int(sys.argv[1])):
    for name, act in acts.items():
        before = time.perf_counter(), time.process_time()
        act()
        taken[name].append([time.perf_counter() - before[0], time.process_time() - before[1]])
print(json.dumps(taken))
"""


def run() -> None:
    """
    Measure, and write the section.

    Raises:
        LocalError: the budget is exceeded.
    """
    with step("measure"):
        done = subprocess.run(
            [sys.executable, "-c", _JOB, str(ROUNDS)],
            cwd=ROOT / "layers" / "shared",
            check=True,
            capture_output=True,
            text=True,
        )
    made = report.table("", "ms, p50", "ms, p95", "CPU ms, p50", "budget", f"{SHARED_MB} MB: ms")
    slowest = 0.0
    for name, taken in json.loads(done.stdout).items():
        wall, cpu = ([each * 1000 for each in part] for part in zip(*taken, strict=True))
        slowest = max(slowest, median(cpu))
        at_512 = median(cpu) * FULL_CORE_MB / SHARED_MB
        figures = f"{median(wall):.1f}", f"{quantiles(wall, n=20)[-1]:.1f}", f"{median(cpu):.1f}"
        made.add_row(name, *figures, str(MOST_MS), f"{at_512:.0f}")
    report.show(made)
    report.write("password", report.prose(TOLD), report.markdown(made))
    report.enforce([Budget("CPU ms of a hash", slowest, MOST_MS)])
