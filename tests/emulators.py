"""The emulators that a run of the tests starts: whatever becomes of it, none outlives it."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from local import STATE
from local.platform import emulator


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this process is one of a run's workers, as opposed to the one that the developer started."""
    return hasattr(config, "workerinput")


def run_of(config: pytest.Config) -> str:
    """Return the run's name, the same in all its processes."""
    return str(config.workerinput["testrunuid"] if is_worker(config) else os.getpid())  # type: ignore[attr-defined] # xdist's


def home(config: pytest.Config) -> Path:
    """Return the folder of the run's emulators, each in one of its own."""
    return STATE / "tests" / run_of(config)


def end(session: pytest.Session, worker: str = "*") -> None:
    """Stop a worker's emulator, or all of the run, if they are not; their logs stay when a test has failed."""
    for state in home(session.config).glob(worker):
        emulator.stop(state)
        shutil.rmtree(state / "tmp" if session.testsfailed else state, ignore_errors=True)
    with suppress(OSError):  # logs are left in it, or another worker's emulator
        home(session.config).rmdir()
