"""Events as they happen: a consumer that is there for as long as somebody watches."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from rich.text import Text
from tillflow_client import Consumer, Event, Pace, Retry, TillflowError

from local import LocalError
from local.platform.stack import Stack
from local.process import aside, console
from local.watch import logs, tell

LONGEST = 160
# What ends the watching waits for the fetch under way: it is short.
PACE = Pace(limit=100, wait=1, idle=0)
RETRY = Retry(total=10)
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ORPHAN_SECONDS = 1.0


def run(stack: Stack, types: str) -> None:
    """
    Print each event of *types* (`order.*,OrderCreated`) that happens from now on, until told to stop.

    Raises:
        LocalError: the stack does not answer, or refuses.
    """
    wanted = types.split(",")
    try:
        with (
            Consumer(stack.api_url, service_token=stack.service_token, pace=PACE, retry=RETRY, signals=False) as consumer,
            _ending(consumer),
        ):
            consumer.register(f"tail-{uuid4()}", wanted)
            try:
                aside.print(f"[dim]{', '.join(wanted)} from now on (Ctrl-C ends)[/]")
                for event in consumer.events():
                    console.print(line(event))
            finally:
                consumer.delete()
    except TillflowError as error:
        raise LocalError(str(error)) from error


def line(event: Event) -> Text:
    """Return an event as a line: when, of which type, by whom, its id, and as much of its payload as is looked at."""
    payload = "(erased)" if event.erased else logs.short(event.payload, LONGEST)
    return Text.assemble(
        (tell.clock(event.occurred_at), "dim"),
        " ",
        (event.event_type, "bold cyan"),
        " ",
        (event.producer_id, "magenta"),
        " ",
        (event.event_id, "dim"),
        " ",
        payload,
    )


@contextmanager
def _ending(consumer: Consumer) -> Iterator[None]:
    """Stop *consumer* at a signal, also one that comes while it is being registered, and when whoever started us is gone."""
    before = {number: signal.signal(number, lambda *_: consumer.stop()) for number in ENDINGS}
    parent, over = os.getppid(), threading.Event()

    def watch() -> None:
        while not over.wait(ORPHAN_SECONDS):
            if os.getppid() != parent:
                consumer.stop()
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)
