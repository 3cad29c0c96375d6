"""Deciding anew: what was read may no longer be so when it is written."""

from collections.abc import Callable

from tillflow.errors import Unavailable
from tillflow.runtime import aws, backoff


class Moved(Exception):
    """What was read is no longer so."""


def again[T](attempt: Callable[[], T], unavailable: str) -> T:
    """
    Return what *attempt* does, decided anew whenever it finds that the world has `Moved`.

    Raises:
        Unavailable: it always has, for as long as there was time; says *unavailable*.
    """
    # One attempt reads and commits.
    for _ in backoff.attempts(seconds=2 * aws.LONGEST_CALL_SECONDS):
        try:
            return attempt()
        except Moved:
            continue
    raise Unavailable(unavailable)
