"""The stack, ready to be simulated; and its shop open, ready for simulated days."""

import gc
import logging
import uuid
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher

from tests.faults import passing
from tests.faults.commands import REGISTER
from tests.faults.world import open_world
from tests.simulation.cloud import Cloud
from tests.simulation.day import Simulator
from tests.simulation.lambdas import running
from tests.simulation.scheduler import dice
from tests.simulation.shop import open_shop
from tillflow.contexts.identity import factors, machines, passwords
from tillflow.runtime import aws, metrics
from tillflow.values import ids


def simulator(patch: pytest.MonkeyPatch) -> Simulator:
    """Return the simulator of everything that is registered. Ends with *patch*."""
    cloud = empty(patch)
    open_shop(cloud)
    cloud.scheduler.run()  # its first movements are listed
    return Simulator(cloud, cloud.snapshot(), REGISTER)


def empty(patch: pytest.MonkeyPatch) -> Cloud:
    """Return the stack with nothing in it, where all chance is the simulation's. Ends with *patch*."""
    outside = dice("outside of every invocation")

    def new() -> str:
        chance = invocation.dice if (invocation := running()) else outside
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    def fall() -> float:
        return (invocation.dice if (invocation := running()) else outside).random()

    logging.disable(logging.CRITICAL)  # thousands of invocations, each with a log line
    gc.freeze()  # what is imported stays: looking through it again and again takes a tenth of the time
    cloud = open_world(patch, Cloud)
    patch.setattr(ids, "new", new)
    patch.setattr(passing, "dice", SimpleNamespace(random=fall, seed=lambda _: None))
    patch.setattr(passing, "wait", cloud.scheduler.sleep)
    patch.setattr(metrics, "_write", lambda *_: None)
    # What is random in what is stored is not, here.
    patch.setattr(passwords, "hashed", lambda text: PasswordHasher(1, 8, 1).hash(text, salt=bytes(16)))
    patch.setattr(factors, "secrets", SimpleNamespace(token_bytes=bytes))
    patch.setattr(machines, "token_urlsafe", lambda _: "A" * 43)
    return cloud


def close() -> None:
    """End what `empty` has begun and a patch does not undo."""
    gc.unfreeze()
    logging.disable(logging.NOTSET)
    aws.forget()  # Its clients go through the wire.
