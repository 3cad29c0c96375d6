"""What befalls a day: calls that fail, messages that come twice or late, processes that are lost; and what did befall it."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tests import template
from tests.faults import passing
from tests.faults.wire import Call, Fault
from tests.faults.wiring import Wiring
from tests.simulation.scheduler import dice

_OPERATIONS = (
    "GetItem",
    "Query",
    "PutItem",
    "UpdateItem",
    "TransactWriteItems",
    "PutEvents",
    "StartExecution",
    "gateway.charge",
    "gateway.cancel",
)
# Of the calls that an outage or a spot concerns, so many meet it.
_OUT, _ON_THE_SPOT = 0.9, 0.25
_LASTING = (Fault.ERROR, Fault.LOST, Fault.THROTTLED)


def _concerns(place: str, call: Call) -> bool:
    return place in f"{call.function} {call.operation} {call.target}"


@dataclass(frozen=True, slots=True)
class Outage:
    """From *since* to *until* (seconds) most calls that have to do with *of* meet a *fault*."""

    of: str
    fault: Fault
    since: float
    until: float

    def strikes(self, call: Call) -> bool:
        """Tell whether it is about this call, now."""
        return _concerns(self.of, call) and self.since <= passing.waited() < self.until and self.fault in call.faults()


@dataclass(frozen=True, slots=True)
class Weather:
    """
    How likely it is that something befalls a call (*faults*), it is *slow*, or what the platform carries goes *astray*.

    Around one *spot* much more happens; the clocks of processes are wrong by *skew* seconds at most.
    """

    faults: float = 0.0
    spot: str = ""
    slow: float = 0.0
    astray: float = 0.0
    skew: float = 0.0
    outages: tuple[Outage, ...] = ()

    @classmethod
    def of(cls, chance: random.Random, since: float, lasts: float) -> Self:
        """Return the weather of a rush that *lasts* so many seconds: often fair, seldom a storm."""
        outages = tuple(_outage(chance, since, lasts) for _ in range(chance.choice((0, 0, 1, 2))))
        return cls(
            faults=chance.choice((0, 0.005, 0.02, 0.05)),
            spot=chance.choice(("", _place(chance))),
            slow=chance.choice((0, 0.02, 0.1)),
            astray=chance.choice((0, 0.02, 0.1)),
            skew=chance.choice((0, 0.5, 30)),
            outages=outages,
        )


def _place(chance: random.Random) -> str:
    """Return where it happens: at an operation, a table or in a function."""
    functions = sorted(Wiring().writers)
    return chance.choice(chance.choice((_OPERATIONS, list(template.resources(template.TABLE)), functions)))


def _outage(chance: random.Random, since: float, lasts: float) -> Outage:
    begin = since + chance.uniform(0, lasts)
    return Outage(_place(chance), chance.choice(_LASTING), begin, begin + chance.choice((2, 30, 300)))


class Fate:
    """
    Chance, all of it from the *seed*: it decides what befalls a day, and remembers it.

    Whatever may befall has a name of its own (`7a1 #2: PutItem OrdersTable throttled`); *only*: what is not among these
    does not befall. *note* is told of what does.
    """

    def __init__(self, seed: int, note: Callable[[str], None], only: frozenset[str] | None = None) -> None:
        self.weather = Weather()
        self.befell: dict[str, None] = {}
        self.note = note
        self._seed = seed
        self._only = only
        self._times: Counter[str] = Counter()

    def dice(self, name: str) -> random.Random:
        """Return the dice of what has this name."""
        return dice(self._seed, name)

    def again(self, name: str) -> str:
        """Return *name* with a number, for what happens several times."""
        self._times[name] += 1
        return f"{name} {self._times[name]}"

    def astray(self, name: str, chance: random.Random) -> bool:
        """Tell whether what the platform carries is lost, late or doubled, as *name* says."""
        return self._befalls(name, likely=chance.random() < self.weather.astray)

    def of_call(self, label: str, call: Call, chance: random.Random) -> Fault | None:
        """Return what befalls this call of an invocation."""
        fault = chance.choice([*call.faults(), *([Fault.LATE] if call.writes and not call.is_gateway else [])])
        spot = self.weather.spot
        likely = chance.random() < (_ON_THE_SPOT if spot and _concerns(spot, call) else self.weather.faults)
        for outage in self.weather.outages:
            if chance.random() < _OUT and outage.strikes(call):
                fault, likely = outage.fault, True
        return fault if self._befalls(f"{label}: {call.operation} {call.target}, {fault}", likely=likely) else None

    def _befalls(self, name: str, *, likely: bool) -> bool:
        if not likely or (self._only is not None and name not in self._only):
            return False
        self.befell[name] = None
        self.note(f"! {name}")
        return True
