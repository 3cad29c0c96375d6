"""Lambda: processes that are started, kept warm and lost, each with its own clock and its own memory."""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults import passing
from tests.faults.actor import Actor, acting
from tests.faults.wire import Gone
from tests.simulation.scheduler import Scheduler
from tests.simulation.weather import Fate
from tillflow.contexts.eventflow import door, pages, schemas, subscribers
from tillflow.contexts.stock import shards
from tillflow.runtime import deadline, secrets

# Modules' variables that a process has for itself: they change hands with whose turn it is.
_OWN: tuple[tuple[Any, str, Callable[[], Any]], ...] = (
    (deadline, "_until", lambda: float("inf")),
    (secrets, "_cache", dict),
    (shards, "_kept", dict),
    (door, "_leases", dict),
    (door, "_buckets", dict),
    (pages, "_kept", pages._Kept),  # noqa: SLF001 - a process's own
    (subscribers, "_known", list),
    (schemas, "_kept", schemas._Kept),  # noqa: SLF001
    (passing, "skew", lambda: 0.0),
)
_KEPT_WARM_SECONDS = 600
_COLD_SECONDS = 0.4

type Outcome = tuple[Any, BaseException | None]
type Done = Callable[[Outcome], None]


@dataclass(slots=True)
class Process:
    """A process of a *function*: what it keeps from one invocation to the next, since it was *used* last."""

    function: str
    memory: list[Any] = field(default_factory=lambda: [fresh() for _, _, fresh in _OWN])
    used: float = 0.0


class Invocation(Actor):
    """One run of a function in a *process*, with *dice* of its own; *calls* counts its calls, many slow if it is *sluggish*."""

    def __init__(self, label: str, process: Process, dice: random.Random, act: Callable[[], None]) -> None:
        super().__init__(act)
        self.label = label
        self.process = process
        self.dice = dice
        self.calls = 0
        self.sluggish = False

    def turn(self) -> None:
        """Run on, with the process's own memory in place."""
        before = _swap(self.process.memory)
        try:
            super().turn()
        finally:
            self.process.memory = _swap(before)


def _swap(memory: list[Any]) -> list[Any]:
    """Put *memory* in place, and return what was there."""
    before = [getattr(module, name) for module, name, _ in _OWN]
    for (module, name, _), value in zip(_OWN, memory, strict=True):
        setattr(module, name, value)
    return before


def running() -> Invocation | None:
    """Return the invocation whose turn it is, if it is one's."""
    actor = acting()
    return actor if isinstance(actor, Invocation) else None


class Lambdas:
    """Every process there is; *started* counts invocations. *run* is what one does: call the function's handler."""

    def __init__(self, scheduler: Scheduler, run: Callable[[str, Any], Any], fate: Fate) -> None:
        self.started = 0
        self._scheduler = scheduler
        self._run = run
        self._fate = fate
        self._idle: defaultdict[str, list[Process]] = defaultdict(list)

    def invoke(self, function: str, event: Any, label: str, done: Done, *, sluggish: bool = False) -> None:
        """Run *function* once; *done* is told its answer or the error it ended with."""
        self.started += 1
        dice = self._fate.dice(label)
        process = self._process(function, dice)

        def act() -> None:
            self._scheduler.sleep(dice.uniform(0, 0.01) if process.used else _COLD_SECONDS)
            outcome = self._outcome(function, event)
            if not isinstance(outcome[1], Gone):
                process.used = passing.waited()
                self._idle[function].append(process)
            self._scheduler.after(0, lambda: done(outcome))

        invocation = Invocation(label, process, dice, act)
        invocation.sluggish = sluggish
        self._scheduler.start(invocation)

    def _outcome(self, function: str, event: Any) -> Outcome:
        try:
            return self._run(function, event), None
        except (Exception, Gone) as error:  # noqa: BLE001 - Lambda's own boundary: however it failed, its caller is told
            return None, error

    def _process(self, function: str, dice: random.Random) -> Process:
        """Return the process that was used last, if it is still warm, or a new one."""
        idle = self._idle[function]
        if idle and passing.waited() - idle[-1].used < _KEPT_WARM_SECONDS:
            return idle.pop()
        idle.clear()
        process = Process(function)
        skew = self._fate.weather.skew
        process.memory[-1] = dice.uniform(-skew, skew)
        return process
