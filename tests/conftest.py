"""What every test may rely on."""

import signal

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Let fixtures clean up (an emulator may run) also when the run is ended from outside, as by Ctrl-C."""
    if not hasattr(config, "workerinput"):
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.default_int_handler)
