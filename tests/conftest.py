"""What every test may rely on, and how a run spreads its tests over its workers (`-n`)."""

import signal

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # ships none

from tests import emulators
from tests.report import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]

# Its tests share one deployed stack and look at it together at the end: one worker runs them, in their order.
WHOLE = "integration"
# Some milliseconds a test: a worker is handed them file by file, and last, when they fill what the others left.
QUICK = {"unit", "property", "contract"}


class Spread(LoadScopeScheduling):  # type: ignore[misc]
    """Hands tests out in their order, together what belongs together, to whichever worker has nothing left to do."""

    def _split_scope(self, nodeid: str) -> str:
        match folder(nodeid):
            case name if name == WHOLE:
                return WHOLE
            case name if name in QUICK:
                return nodeid.partition("::")[0]
        return nodeid


def folder(nodeid: str) -> str:
    """Return the folder of tests/ that a test is in."""
    return nodeid.split("/")[1]


def pytest_configure(config: pytest.Config) -> None:
    """Let the run clean up (an emulator may run) also when it is ended from outside, as by Ctrl-C."""
    if not emulators.is_worker(config):
        config.option.testrunuid = emulators.run_of(config)
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave no emulator behind, whatever has become of the worker that started it."""
    if not emulators.is_worker(session.config):
        emulators.end(session)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, and what looks at all that a stack was put through comes last of its tests."""

    def rank(item: pytest.Item) -> tuple[bool, bool, bool]:
        name = folder(item.nodeid)
        return name in QUICK, name != WHOLE, item.path.name == "test_afterwards.py"

    items.sort(key=rank)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Spread:
    config.option.loadscopereorder = False  # the order is `rank`'s
    return Spread(config, log)
