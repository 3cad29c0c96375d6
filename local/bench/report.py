"""
docs/measured.md: what was measured last, on what machine. Each command writes its own section and leaves the others.

What a command writes stands between `<!-- NAME: … -->` and `<!-- end of NAME -->`; plots lie beside, in docs/measured/.
"""

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from textwrap import fill

from rich import box
from rich.console import Console
from rich.table import Table

from local import ROOT, LocalError
from local.process import console

DOCUMENT = ROOT / "docs" / "measured.md"
PLOTS = ROOT / "docs" / "measured"
# As they follow each other in the document.
TITLES = {
    "cost": "What an order costs",
    "cold": "How fast functions start",
    "warm": "What a warm request takes",
    "password": "What a password's hash takes",
    "load": "Many buyers at once",
    "events": "Many events at once",
    "hot-sku": "One SKU that everybody wants",
}

_HEAD = """\
# Measured

What the product claims, in numbers that hold on a noisy machine: counts, and ratios within one run
(seconds and rates are told besides, for the machine that is named). Each section is
written by its command; the budgets are in the commands, which fail when one is exceeded.
"""
_WIDER_THAN_ANY_TABLE = 400
_LINE = 120


@dataclass(frozen=True)
class Budget:
    """*what* may be at *most* so much, and *measured* is what it is."""

    what: str
    measured: float
    most: float

    @property
    def is_kept(self) -> bool:
        """Tell whether it is within its budget."""
        return self.measured <= self.most

    def __str__(self) -> str:
        """Return how the two compare."""
        return f"{self.what}: {self.measured:.2f} (at most {self.most:g})"


def enforce(budgets: Iterable[Budget]) -> None:
    """
    Go on only if every budget is kept.

    Raises:
        LocalError: one is not; the message names each that is not.
    """
    if exceeded := [str(budget) for budget in budgets if not budget.is_kept]:
        raise LocalError("over budget: " + "; ".join(exceeded))


def table(*headings: str) -> Table:
    """Return a table for `show` and `markdown`; all columns but the first are for numbers."""
    made = Table(box=box.ROUNDED)
    for number, heading in enumerate(headings):
        made.add_column(heading, justify="right" if number else "left")
    return made


def show(made: Table) -> None:
    """Print a table to whoever runs the command."""
    console.print(made, soft_wrap=False)


def markdown(made: Table) -> str:
    """Return a table as Markdown."""
    shown_as, made.box = made.box, box.MARKDOWN
    text = StringIO()
    Console(file=text, width=_WIDER_THAN_ANY_TABLE).print(made)
    made.box = shown_as
    return "\n".join(line.rstrip() for line in text.getvalue().strip().splitlines())


def prose(text: str) -> str:
    """Return *text* as a paragraph of lines that fit an editor."""
    return fill(text, _LINE, break_long_words=False, break_on_hyphens=False)


def picture(name: str, shows: str) -> str:
    """Return the Markdown of the plot *name* in `PLOTS`."""
    return f"![{shows}](measured/{name}.png)"


def write(name: str, *parts: str) -> None:
    """Write the section *name* of the document, with the day and the machine of the measurement."""
    day = datetime.now(UTC).date().isoformat()
    document = DOCUMENT.read_text() if DOCUMENT.exists() else empty()
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(with_section(document, name, "\n\n".join([f"*Measured on {day}, {machine()}.*", *parts])))
    console.print(f"wrote {DOCUMENT.relative_to(ROOT)}")


def empty() -> str:
    """Return the document with nothing measured yet."""
    sections = (f"\n## {title} (`make bench-{name}`)\n\n{'\n'.join(_markers(name))}\n" for name, title in TITLES.items())
    return _HEAD + "".join(sections)


def with_section(document: str, name: str, text: str) -> str:
    """
    Return *document* with *text* in its section *name*.

    Raises:
        LocalError: the section's markers are not there.
    """
    begin, end = _markers(name)
    before, found, rest = document.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise LocalError(f"{DOCUMENT.relative_to(ROOT)} has no section between {begin} and {end}")
    return f"{before}{begin}\n{text.strip()}\n{end}{after}"


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name}: written by `make bench-{name}` -->", f"<!-- end of {name} -->"


def machine() -> str:
    """Return what was measured on: processor, system and Python."""
    return f"{os.cpu_count()} cores of {_processor()}, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
