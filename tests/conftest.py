"""What every test may rely on, and how a run spreads its tests over its workers (`-n`)."""

import signal

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # ships none

from tests import emulators
from tests.report import pytest_terminal_summary
from tillflow.runtime import deadline

__all__ = ["pytest_terminal_summary"]

# Their tests share one deployed stack and look at it together at the end: one worker runs them, in their order.
DEPLOYED = "integration"
# Of those, what nobody should send has a stack of its own where a worker is free: the longest slice is two.
ATTACKS = {"test_bad_input.py", "test_permissions.py", "test_schemathesis.py", "test_tokens.py"}
AFTERWARDS = "test_afterwards.py"
# Some milliseconds a test: a worker is handed them file by file, and last, when they fill what the others left.
QUICK = {"unit", "property", "contract", "python"}


@pytest.fixture(autouse=True)
def _time_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test have the end of another's invocation."""
    monkeypatch.setattr(deadline, "_until", float("inf"))


class Spread(LoadScopeScheduling):  # type: ignore[misc]
    """Hands tests out in their order, together what belongs together, to whichever worker has nothing left to do."""

    def _split_scope(self, nodeid: str) -> str:
        match folder(nodeid):
            case name if name == DEPLOYED:
                return f"{DEPLOYED}, {'attacks' if is_attack(nodeid) else 'orders'}"
            case name if name in QUICK:
                return nodeid.partition("::")[0]
        return nodeid


def folder(nodeid: str) -> str:
    """Return the folder of tests/ that a test is in, or of clients/."""
    return nodeid.split("/")[1]


def is_attack(nodeid: str) -> bool:
    """Tell whether a test of the deployed stack is one of an attack, or looks at what attacks left behind."""
    file, _, test = nodeid.rpartition("/")[2].partition("::")
    return file in ATTACKS or (file == AFTERWARDS and "[attacks]" in test)


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

    def rank(item: pytest.Item) -> tuple[bool, bool, bool, bool]:
        name = folder(item.nodeid)
        return name in QUICK, name != DEPLOYED, is_attack(item.nodeid), item.path.name == AFTERWARDS

    items.sort(key=rank)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Spread:
    config.option.loadscopereorder = False  # the order is `rank`'s
    return Spread(config, log)
