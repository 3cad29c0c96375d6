"""The laptop: emulator, build, deploy, logs and demo (`python -m local --help`)."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".local"

sys.path.append(str(ROOT / "layers" / "shared"))  # functions find the layer without this; it is no installed package


class LocalError(Exception):
    """Something on this machine is in the way; the message says what to do about it."""
