"""Wait on a condition, with a deadline."""

import time
from collections.abc import Callable

from local import LocalError

PAUSE = 0.1


def until[T](probe: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """
    Return the first value of *probe* that is not None.

    Raises:
        LocalError: there was none within *seconds*; the message says *what* was awaited.
    """
    deadline = time.monotonic() + seconds
    while (found := probe()) is None:
        if time.monotonic() > deadline:
            raise LocalError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(PAUSE)
    return found
