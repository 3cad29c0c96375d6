"""A freshly deployed stack on an emulator of its own, beside any that `make up` runs."""

import os
import shutil
from collections.abc import Iterator

import pytest

from local import STATE
from local.platform import emulator
from local.platform.deploy import deploy
from local.platform.stack import Stack
from tests.integration.behind import Behind
from tests.integration.scene import Scene

# AUTH enforces the functions' roles: a permission that the template forgot fails a test.
# Waits and retries of state machines pass ten times as fast.
SETTINGS = {"AUTH": "true", "SFN_WAIT_SCALE": "0.1"}


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The stack, deployed once for all tests; the logs stay in .local/tests when one fails."""
    state = STATE / "tests" / str(os.getpid())
    try:
        yield deploy(emulator.start(state, settings=SETTINGS).endpoint, state)
    finally:
        emulator.stop(state)
    if not request.session.testsfailed:
        shutil.rmtree(state)


@pytest.fixture(scope="session")
def scene(stack: Stack) -> Scene:
    """The API, and everybody who calls it."""
    return Scene(stack)


@pytest.fixture(scope="session")
def behind(stack: Stack) -> Behind:
    """What is behind the API."""
    return Behind(stack)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Look at logs, ledger and charges when all other tests have left theirs."""
    items.sort(key=lambda item: item.path.name == "test_afterwards.py")
