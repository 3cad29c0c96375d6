"""The only reader of the environment. Everything is read when it is first needed, never at import."""

import os


class MissingSetting(RuntimeError):
    """A function's environment lacks a variable; the template must set it."""


def setting(name: str, default: str | None = None) -> str:
    """
    Return the environment variable *name*, or *default*.

    Raises:
        MissingSetting: it is not set and there is no default; the message names it.
    """
    value = os.environ.get(name) or default
    if value is None:
        raise MissingSetting(f"The environment variable {name} is not set; template.yaml sets it for this function.")
    return value


def number(name: str, default: int) -> int:
    """Return the environment variable *name* as an integer, or *default*."""
    return int(setting(name, str(default)))
