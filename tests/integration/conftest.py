"""A freshly deployed stack on an emulator of its own, beside any that `make up` runs."""

from pathlib import Path

import pytest
from xdist import get_xdist_worker_id  # type: ignore[import-untyped] # ships none

from local.platform import emulator
from local.platform.deploy import deploy
from local.platform.stack import Stack
from tests import emulators
from tests.integration.behind import Behind
from tests.integration.flow import Producer, producer_in
from tests.integration.scene import Scene

# AUTH enforces the functions' roles: a permission that the template forgot fails a test.
# Waits and retries of state machines pass ten times as fast.
SETTINGS = {"AUTH": "true", "SFN_WAIT_SCALE": "0.1"}


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config, worker_id: str) -> Stack:
    """The stack, deployed once for all tests."""
    state = emulators.home(pytestconfig) / worker_id
    return deploy(emulator.start(state, settings=SETTINGS).endpoint, state)


@pytest.fixture(scope="session")
def scene(stack: Stack) -> Scene:
    """The API, and everybody who calls it."""
    return Scene(stack)


@pytest.fixture(scope="session")
def behind(stack: Stack) -> Behind:
    """What is behind the API."""
    return Behind(stack)


@pytest.fixture
def producer(scene: Scene) -> Producer:
    """A producer of events."""
    return producer_in(scene)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the last of these tests, stop the stack while others run: it takes longer, the more of it was used."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        emulators.end(item.session, get_xdist_worker_id(item.session))
