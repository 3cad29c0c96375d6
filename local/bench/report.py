"""
docs/measured.md: what was measured last, by which machine. Each command writes its own section and leaves the others.

A section stands between `<!-- bench-NAME -->` and `<!-- /bench-NAME -->`; plots lie beside, in docs/measured/.
"""

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from local import ROOT, LocalError
from local.process import console

DOCUMENT = ROOT / "docs" / "measured.md"
PLOTS = ROOT / "docs" / "measured"
# As they follow each other in the document.
SECTIONS = ("cost", "cold", "warm", "load")

_HEAD = """\
# Measured

What Tillflow claims, it measures. Each section is written by the command it names; do not edit it by hand.
"""
_WIDER_THAN_ANY_TABLE = 400


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


def picture(name: str, shows: str) -> str:
    """Return the Markdown of the plot *name* in `PLOTS`."""
    return f"![{shows}](measured/{name}.png)"


def write(name: str, title: str, *parts: str) -> None:
    """Write the section *name* of the document, with the day and the machine of the measurement."""
    day = datetime.now(UTC).date().isoformat()
    text = "\n\n".join([f"## {title}", f"`make bench-{name}` on {day}, {machine()}.", *parts])
    DOCUMENT.parent.mkdir(exist_ok=True)
    document = DOCUMENT.read_text() if DOCUMENT.exists() else _HEAD
    DOCUMENT.write_text(with_section(document, name, text))
    console.print(f"wrote {DOCUMENT.relative_to(ROOT)}")


def with_section(document: str, name: str, text: str) -> str:
    """Return *document* with *text* as its section *name*, in place of the one it has, or where it belongs."""
    begin, end = _markers(name)
    section = f"{begin}\n\n{text.strip()}\n\n{end}"
    if begin in document:
        before, _, rest = document.partition(begin)
        return before + section + rest.partition(end)[2]
    for later in SECTIONS[SECTIONS.index(name) + 1 :]:
        before, found, after = document.partition(_markers(later)[0])
        if found:
            return f"{before}{section}\n\n{found}{after}"
    return f"{document.rstrip()}\n\n{section}\n"


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- bench-{name} -->", f"<!-- /bench-{name} -->"


def machine() -> str:
    """Return what was measured on: processor, system and Python."""
    return f"{os.cpu_count()} cores of {_processor()}, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
