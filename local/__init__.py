"""The laptop: emulator, build, deploy, logs and demo (`python -m local --help`)."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".local"


class LocalError(Exception):
    """Something on this machine is in the way; the message says what to do about it."""
