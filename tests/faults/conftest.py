"""A world for each module of fault tests, and what they tell the report at the end."""

import gc
import logging
import time
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.faults.commands import REGISTER
from tests.faults.trials import TRIED, Trials
from tests.faults.world import World, open_world
from tillflow.runtime import aws

type Tried = Callable[[str], Trials]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """The stack, in memory. Tests begin by restoring it to a state that they arranged."""
    with pytest.MonkeyPatch.context() as patch:
        logging.disable(logging.CRITICAL)  # thousands of runs, each with a log line for every invocation
        gc.freeze()  # what is imported stays: looking through it again and again takes a tenth of the time
        try:
            yield open_world(patch, World)
        finally:
            gc.unfreeze()
            logging.disable(logging.NOTSET)
            aws.forget()  # Its clients go through the wire.


@pytest.fixture(scope="module")
def empty(world: World) -> object:
    """The snapshot of a world that has nothing in it."""
    return world.snapshot()


@pytest.fixture(scope="module")
def trials(world: World, empty: object) -> Tried:
    """A command's trials by its name, arranged and recorded once."""
    return cache(lambda name: Trials(world, REGISTER[name], empty))


@pytest.fixture(autouse=True)
def _told(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Tell the report (tests/report.py) of the faults that a test tried, and what they took."""
    TRIED.clear()
    began = time.process_time()
    yield
    a_fault = (time.process_time() - began) / (TRIED.total() or 1)
    for command, times in TRIED.items():
        record_property("faults", (command, times, times * a_fault))
