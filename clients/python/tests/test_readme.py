"""README.md's programs, run as a reader would: each by itself, against a server on a socket, ended by SIGTERM."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_tillflow import FakeTillflow, serving

README = Path(__file__).parent.parent / "README.md"
SEND, MANY, RECEIVE, LOOP, ASYNC = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def run(server: FakeTillflow, program: str, done: Callable[[], bool] | None = None) -> str:
    """Run *program* until it ends, or until *done* and then SIGTERM; return what it printed."""
    with serving(server) as url:
        environment = {"TILLFLOW_URL": url, "TILLFLOW_API_KEY": "key", "TILLFLOW_SERVICE_TOKEN": "token"}
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", program],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            deadline = time.monotonic() + 20
            while done is not None and not done():
                assert process.poll() is None, process.communicate()[1]
                assert time.monotonic() < deadline, "in vain"
                time.sleep(0.01)
            if done is not None:
                process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=20)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0, errors
    assert errors == ""
    return output


def test_one_event_is_sent() -> None:
    server = FakeTillflow()

    printed = run(server, SEND)

    (stored,) = server.stored.values()
    assert printed.strip() == stored["event_id"]
    assert stored["payload"] == {"parcel": "P-7", "weight": 1200}


def test_many_are_sent() -> None:
    server = FakeTillflow()

    assert run(server, MANY) == "1000 accepted\n"

    assert len(server.stored) == 1000
    assert 10 <= len(server.paths("/batch")) < 20


@pytest.mark.parametrize("program", [RECEIVE, LOOP])
def test_events_are_received(program: str) -> None:
    server = FakeTillflow()
    server.put(3, "parcel.shipped")

    printed = run(server, program, lambda: len(server.acknowledged) == 3)

    assert printed == "".join(f"parcel.shipped {{'number': {number}}}\n" for number in range(3))


def test_what_a_loop_gives_back_comes_an_hour_later() -> None:
    server = FakeTillflow()
    (event_id,) = server.put(1)
    server.queue[0].event["payload"] = {"weight": 40_000}

    run(server, LOOP, lambda: bool(server.given_back))

    assert server.given_back == [(event_id, 3600)]


def test_all_of_it_is_awaited() -> None:
    server = FakeTillflow()

    printed = run(server, ASYNC, lambda: len(server.acknowledged) == 10)

    assert printed == "".join(f"parcel.shipped {{'parcel': 'P-{number}'}}\n" for number in range(10))
