"""SIGTERM and SIGINT as a request to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ASKING = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stopping(ask: Callable[[], object], loop: asyncio.AbstractEventLoop | None = None) -> Iterator[None]:
    """
    Let the first SIGTERM or SIGINT call *ask*, from *loop* where there is one; a second one does what it would without us.

    In another thread than the main one, signals are left alone: Python hands them to the main thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    by_loop = loop if sys.platform != "win32" else None  # its loops cannot, and wake up for signals by themselves
    before = {number: signal.getsignal(number) for number in ASKING}

    def asked(*_: object) -> None:
        restore()
        ask()

    def restore() -> None:
        while before:
            number, handler = before.popitem()
            if by_loop is not None:
                by_loop.remove_signal_handler(number)
            signal.signal(number, handler)

    for number in ASKING:
        if by_loop is None:
            signal.signal(number, asked)
        else:
            # Not signal.signal: a loop that waits in its selector would not hear of it before it has something to do.
            by_loop.add_signal_handler(number, asked)
    try:
        yield
    finally:
        restore()
