"""One world for all fault tests, and the report at the end."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

pytest.register_assert_rewrite("tests.faults.invariants", "tests.faults.trials", "tests.faults.commands")

from tests.faults.trials import TRIED
from tests.faults.world import World, open_world
from tillflow import aws


@pytest.fixture(scope="package")
def empty_world() -> Iterator[tuple[World, Any]]:
    """The stack on moto, and its snapshot while nothing is in it."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        logging.disable(logging.CRITICAL)  # thousands of runs, each with a log line for every invocation
        try:
            world = open_world(patch)
            yield world, world.snapshot()
        finally:
            logging.disable(logging.NOTSET)
            aws.forget()  # Its clients go through the wire.


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many faults were injected, by command."""
    if TRIED:
        terminalreporter.section("faults injected")
        for name, times in TRIED.items():
            terminalreporter.write_line(f"{times:6}  {name}")
        terminalreporter.write_line(f"{TRIED.total():6}  in all")
