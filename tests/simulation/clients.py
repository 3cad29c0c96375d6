"""Clients of a delivery run: each asks, waits for its answer, and asks again where none comes."""

from functools import partial
from random import Random
from typing import Any

from tests.faults import passing
from tests.faults.client import Refused
from tests.simulation.cloud import Cloud
from tests.simulation.mishaps import Mishaps
from tests.simulation.scene import Request, Sent

_TOO_MANY, _SERVER_ERROR = 429, 500
PATIENCE = 25


class Desk:
    """Where the clients of *cloud* ask, from inside an actor; *fate* decides what befalls them. *again*: what was sent again."""

    def __init__(self, cloud: Cloud, fate: Mishaps) -> None:
        self.cloud = cloud
        self.fate = fate
        self.again = 0

    def ask(self, request: Request, name: str, *, tries: int = PATIENCE) -> Sent:
        """
        Return *request* as it was answered; without an answer, or with a 5xx or 429, it is sent again, so many times.

        Raises:
            Refused: it is another 4xx.
        """
        chance = self.fate.dice(f"patience of {name}")
        for attempt in range(tries):
            self.again += attempt > 0
            sent = Sent(attempt, request, passing.waited())
            label = self.fate.again(name)
            answer: dict[str, Any] | None = self.cloud.scheduler.wait_for(partial(self.cloud.request, request, label))
            sent.hear(answer)
            self.fate.note(f"{label}: {request} is told {sent}")
            if sent.refused and sent.status != _TOO_MANY:
                raise Refused(sent.status or 0, sent.body)
            if sent.succeeded:
                break
            self.rest(chance, 0.1, 3)
        return sent

    def rest(self, chance: Random, least: float, most: float) -> None:
        """Let so many seconds pass for whoever asks."""
        self.cloud.scheduler.sleep(chance.uniform(least, most))
