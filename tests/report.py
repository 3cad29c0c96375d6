"""What a run tells at its end: where its time went, what was measured, and the faults that were tried."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

type Reports = list[pytest.TestReport]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell it, from the reports of whichever processes ran the tests: nothing else comes from a worker."""
    listed = [report for reports in terminalreporter.stats.values() for report in reports]
    reports = [report for report in listed if isinstance(report, pytest.TestReport)]
    for title, lines in (("slices", _slices(reports)), ("measured", _measured(reports)), ("faults injected", _faults(reports))):
        if lines:
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(line)


def _slices(reports: Reports) -> list[str]:
    """Return how many seconds the tests of each folder took, where there are several: those of all workers, added up."""
    tests, seconds = Counter[str](), defaultdict[str, float](float)
    for report in reports:
        folder = report.nodeid.split("/")[1]
        tests[folder] += report.when == "call"
        seconds[folder] += report.duration
    longest = sorted(seconds, key=lambda folder: -seconds[folder])
    return [f"{tests[folder]:6} tests {seconds[folder]:8.1f} s  {folder}" for folder in longest] if len(longest) > 1 else []


def _measured(reports: Reports) -> list[str]:
    """Return what tests measured: `record_property("measured", text)`."""
    return list(_properties(reports, "call", "measured"))


def _faults(reports: Reports) -> list[str]:
    """Return how many faults each command met, and the CPU's seconds: `record_property("faults", (command, times, seconds))`."""
    tried, seconds = Counter[str](), defaultdict[str, float](float)
    for command, times, took in _properties(reports, "teardown", "faults"):
        tried[command] += times
        seconds[command] += took
    if not tried:
        return []
    failed = any(report.failed and "tests/faults" in report.nodeid for report in reports)
    held = "not every invariant held" if failed else "every invariant held"
    spent = sum(seconds.values())
    longest = sorted(tried, key=lambda command: -seconds[command])
    table = [f"{tried[command]:6} {seconds[command]:6.1f} s  {command}" for command in longest]
    return [*table, f"{tried.total():6} {spent:6.1f} s  in all, {spent / len(tried):.1f} s a command; {held}"]


def _properties(reports: Reports, when: str, wanted: str) -> Iterator[Any]:
    """Yield each value of a property, from the reports of the phase after which it is there."""
    for report in reports:
        if report.when == when:
            yield from (value for name, value in report.user_properties if name == wanted)
