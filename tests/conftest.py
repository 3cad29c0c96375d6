"""What every test may rely on."""

import signal

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Let fixtures clean up (an emulator may run) also when the run is ended from outside, as by Ctrl-C."""
    if not hasattr(config, "workerinput"):
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured: `record_property("measured", …)`."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    measured = [text for report in reports for name, text in report.user_properties if name == "measured"]
    if measured:
        terminalreporter.section("measured")
        for text in measured:
            terminalreporter.write_line(str(text))
