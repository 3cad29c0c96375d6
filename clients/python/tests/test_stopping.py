"""How a loop ends: the event at hand is finished, nothing is lost, and nobody waits long."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from fake_tillflow import FakeTillflow
from halves import Half
from tillflow_client import Event, Pace

# Whoever waits for this has not heard.
FOR_EVER = Pace(wait=0, idle=3600, longest=3600)


def until(probe: Callable[[], bool]) -> None:
    """Wait until *probe* is true."""
    deadline = time.monotonic() + 10
    while not probe():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.001)


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Be told of Ctrl-C as in a terminal: a shell's background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tillflow_client.retrying.random.uniform", lambda _low, high: high)
    monkeypatch.setattr("tillflow_client.consuming._FIRST_IDLE", 3600)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_event_at_hand(server: FakeTillflow, half: Half, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    consumer = half.consumer(server, server.consumer(), FOR_EVER)
    ids = server.put(5)

    def handle(event: Event) -> None:
        if event.event_id == ids[1]:
            signal.raise_signal(number)
            until(lambda: consumer.is_stopping)

    half.run(consumer, handle)

    assert server.acknowledged == ids[:2]
    assert server.given_back == [(each, 0) for each in ids[2:]]
    assert signal.getsignal(number) is before


def test_a_signal_ends_a_pause(server: FakeTillflow, half: Half) -> None:
    consumer = half.consumer(server, server.consumer(), FOR_EVER)
    # The fetch finds nothing, and the pause after it would take an hour.
    server.on_fetch = lambda: threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGTERM]).start()

    half.run(consumer, lambda _: None)

    assert len(server.paths("/events")) == 1


def test_what_a_fetch_brings_after_it_was_told_to_stop_is_given_back(server: FakeTillflow, half: Half) -> None:
    consumer = half.consumer(server, server.consumer(), FOR_EVER)
    ids = server.put(3)
    server.on_fetch = consumer.stop
    seen: list[Event] = []

    half.run(consumer, seen.append)

    assert seen == []
    assert server.given_back == [(each, 0) for each in ids]


def test_a_second_ctrl_c_is_not_waited_for(server: FakeTillflow, half: Half) -> None:
    consumer = half.consumer(server, server.consumer(), FOR_EVER)
    ids = server.put(3)

    def handle(_event: Event) -> None:
        signal.raise_signal(signal.SIGINT)
        until(lambda: consumer.is_stopping)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        half.run(consumer, handle)

    assert server.acknowledged == []
    assert {event_id for event_id, _ in server.given_back} == set(ids)


def test_stop_ends_it_from_elsewhere(server: FakeTillflow, half: Half) -> None:
    consumer = half.consumer(server, server.consumer(), FOR_EVER)
    server.put(1)

    half.run(consumer, lambda _: consumer.stop())

    assert len(server.acknowledged) == 1


def test_in_another_thread_signals_are_left_alone(server: FakeTillflow, half: Half) -> None:
    before = signal.getsignal(signal.SIGTERM)
    consumer = half.consumer(server, server.consumer(), FOR_EVER)
    server.put(1)
    during: list[object] = []

    def handle(_event: Event) -> None:
        during.append(signal.getsignal(signal.SIGTERM))
        consumer.stop()

    thread = threading.Thread(target=half.run, args=[consumer, handle])
    thread.start()
    thread.join(10)

    assert not thread.is_alive()
    assert during == [before]


def test_what_ends_from_outside_gives_back_what_it_has(server: FakeTillflow, half: Half) -> None:
    consumer = half.consumer(server, server.consumer(), FOR_EVER)
    ids = server.put(2)

    def handle(_event: Event) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        half.run(consumer, handle)

    assert {event_id for event_id, _ in server.given_back} == set(ids)
