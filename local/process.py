"""Run the tools: in an environment that nothing on the machine bends, with their output in a log."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from local import ROOT, LocalError

# A developer's AWS profile or endpoint could send a local deployment to a real account, and a LocalStack user's variables
# bend our emulator, which reads them too.
NOT_INHERITED = ("AWS_", "LAMBDA_", "LOCALSTACK_", "MINISTACK_", "PYTHON", "SAM_", "SERVICES", "USE_SSL", "VIRTUAL_ENV")
TAIL_LINES = 25

WIDTH_OF_A_FILE = 132

# Soft: a terminal's width must not break a URL or a log line in two.
console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
# What is said beside the output, and must not get into a file with it.
aside = Console(highlight=False, soft_wrap=True, stderr=True)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without what would bend a tool, with the tools' folder first on PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    tools = Path(sys.executable).parent
    return kept | {"PATH": f"{tools}{os.pathsep}{kept.get('PATH', os.defpath)}"} | dict(more or {})


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show that *title* is under way, then how long it took."""
    started = time.monotonic()
    with console.status(title):
        yield
    console.print(f"[green]✓[/] {title} [dim]({time.monotonic() - started:.1f} s)[/]")


def run(command: Sequence[str], log: Path, more: Mapping[str, str]) -> str:
    """
    Run *command* in the repository's root and return what it printed; *log* has that and its messages.

    Raises:
        LocalError: it failed; the message carries the end of its log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as messages:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
            check=False,
        )
        messages.seek(0, os.SEEK_END)
        messages.write(done.stdout)
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
        raise LocalError(f"{tail}\n\n`{' '.join(command)}` failed ({done.returncode}); its output is in {log}")
    return done.stdout
