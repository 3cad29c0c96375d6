"""A sale in simulated time: a crowd that wants one SKU, each buyer in a process of their own, order after order."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from types import SimpleNamespace

import pytest

from tests import template
from tests.faults import passing
from tests.faults.client import move_stock, send
from tests.faults.dynamodb import DynamoDB
from tests.faults.world import World, open_world
from tests.simulation.lambdas import Invocation, Process
from tests.simulation.limits import LimitedDynamoDB, Seconds
from tests.simulation.scheduler import Scheduler, dice
from tillflow.contexts.stock import reservations
from tillflow.contexts.stock.rules import ReservationRefused
from tillflow.errors import Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws
from tillflow.values import clock, ids

SKU = "LAMP"
_CODE = "HAMBURG"
# What came too late is sent again by the order's saga (statemachines/order_saga.asl.json).
_SAGA_WAITS_SECONDS = 2


@dataclass(slots=True)
class Sold:
    """What became of a sale from its first second to its last, and what it was billed for."""

    seconds: float
    confirmed: int = 0
    refused: int = 0
    late: int = 0
    took: list[float] = field(default_factory=list)
    write_units: int = 0
    read_units: int = 0

    @property
    def orders(self) -> int:
        """How many were decided."""
        return self.confirmed + self.refused

    @property
    def rate(self) -> float:
        """How many were decided in a second."""
        return self.orders / self.seconds


class Hall:
    """Where sales are held: the stack, with a DynamoDB that is given limits when the doors open."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._empty = world.snapshot()

    def sale(self, *, shards: int, units: int, buyers: int, until: float, calls: Seconds, seed: int = 1) -> Sold:
        """Return what *buyers* at once do from the first second on, *until* a later one, with *units* to be had."""
        world, chance, scheduler = self._world, dice("sale", seed), Scheduler()
        world.wire.dynamodb = stocked = DynamoDB(template.resources(template.TABLE))
        (_, *kept), *rest = self._empty
        world.restore(((stocked.snapshot(), *kept), *rest))
        passing.dice = SimpleNamespace(random=chance.random, seed=lambda _: None)  # type: ignore[assignment]
        passing.wait = scheduler.sleep
        self._stock(shards, units)
        world.wire.pause = lambda: None
        world.wire.dynamodb = limited = LimitedDynamoDB(stocked, calls, scheduler.sleep, chance)
        passing.go_to(0)
        sold = Sold(until - 1)
        for _ in range(buyers):
            buyer = Invocation("buyer", Process("order_saga/reserve_stock"), chance, lambda: _buy(sold, until, chance))
            scheduler.after(chance.uniform(0, 0.1), partial(scheduler.start, buyer))
        scheduler.after(1, limited.units.clear)
        scheduler.run()
        sold.write_units, sold.read_units = limited.units["write"], limited.units["read"]
        return sold

    def _stock(self, shards: int, units: int) -> None:
        send(self._world, "POST /api/v1/warehouses", {"code": _CODE, "name": _CODE}, role="admin")
        send(self._world, "POST /api/v1/variants", {"sku": SKU, "name": SKU, "shards": shards}, role="admin")
        if units:
            move_stock(self._world, "INBOUND", _CODE, {SKU: units}, key=None)


def _buy(sold: Sold, until: float, chance: Random) -> None:
    """Order one unit after the other; what is decided in the first second is not counted."""
    while passing.waited() < until:
        order_id, since = str(uuid.UUID(int=chance.getrandbits(128), version=4)), passing.waited()
        confirmed = None
        while confirmed is None:
            confirmed = _order(order_id)
            if confirmed is None:
                sold.late += 1
                passing.wait(_SAGA_WAITS_SECONDS)
        if 1 <= passing.waited() < until:
            sold.confirmed += confirmed
            sold.refused += not confirmed
            sold.took.append(passing.waited() - since)


def _order(order_id: str) -> bool | None:
    """Tell whether the order got its unit; None where that was not decided in time."""
    cause = Cause("a-buyer", ("buyer",), ids.derived("trace", order_id), clock.now())
    try:
        reservations.reserve(order_id, {SKU: 1}, cause)
        reservations.commit_sale(order_id, cause)
    except ReservationRefused:
        return False
    except Unavailable:
        return None
    return True


@contextmanager
def hall() -> Iterator[Hall]:
    """Yield a place for sales."""
    with pytest.MonkeyPatch.context() as patch:
        logging.disable(logging.CRITICAL)
        patch.setattr(passing, "dice", passing.dice)
        patch.setattr(passing, "wait", passing.wait)
        try:
            yield Hall(open_world(patch, World))
        finally:
            logging.disable(logging.NOTSET)
            aws.forget()  # Its clients go through the wire.
