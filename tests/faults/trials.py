"""Run a command, once as it should go, and once for everything that can go wrong; count it for the report."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.faults import invariants
from tests.faults.command import Command, both, once
from tests.faults.wire import Call, Fault, Plan, nothing_fails
from tests.faults.world import World

# For the report: command → faults that the present test tried.
TRIED: Counter[str] = Counter()
_DEADLINES = 12


class Trials:
    """Every trial of one *command*, each in a world as it was arranged."""

    def __init__(self, world: World, command: Command, empty: Any) -> None:
        self._world = world
        self._command = command
        world.restore(empty)
        command.arrange(world)
        self._arranged = world.snapshot()
        self.calls = self._record()

    def _record(self) -> list[Call]:
        """Return the calls that the command makes when nothing fails."""
        self._run(nothing_fails)
        calls = list(self._world.wire.calls)
        self.hold()
        return calls

    def points(self) -> Iterator[tuple[int, Call, Fault]]:
        """Yield every call that can be broken, with everything that can happen to it."""
        for number, call in enumerate(self.calls):
            if self._command.breaks is None or call.function in self._command.breaks:
                for fault in call.faults():
                    yield number, call, fault

    def break_one(self, number: int, fault: Fault) -> None:
        """Break one call, and hold the end against what the command promises."""
        self._run(once(number, fault))
        assert self._world.wire.calls[number] == self.calls[number], "the run is not the recorded one: it depends on chance"
        self.hold()

    def break_for_long(self, plan: Plan) -> bool:
        """
        Break calls as *plan* has it until the platform has given up, then let the schedule resume what is left.

        Return whether there was something left.
        """
        self._run(plan)
        left = bool(invariants.unsettled(self._world))
        resume(self._world)
        invariants.check(self._world)
        return left

    def deliver_everything_twice(self) -> None:
        """Run it with every event reaching every target twice: that makes no order end otherwise, and nothing more happen."""
        self._run(nothing_fails, deliveries=2)
        invariants.check(self._world)
        assert invariants.statuses(self._world) == ({self._command.ends} if self._command.ends else set())
        happened = invariants.happened(self._world, self._command.anew)
        assert all(times <= self._command.events[kind] for kind, times in happened.items()), happened
        self._command.also(self._world)

    def _run(self, plan: Plan, deliveries: int = 1) -> None:
        self._world.restore(self._arranged)
        self._world.deliveries = deliveries
        self._world.wire.plan = both(plan, self._command.weather)
        self._command.run(self._world)
        self._world.wire.plan = nothing_fails
        TRIED[self._command.name] += plan is not nothing_fails

    def hold(self) -> None:
        """Assert every invariant, and that the command ended as it must."""
        world, command = self._world, self._command
        invariants.check(world)
        assert invariants.statuses(world) == ({command.ends} if command.ends else set())
        assert invariants.happened(world, command.anew) == command.events
        if command.ends != "pending":
            assert not invariants.unsettled(world), "the saga ended before the order was settled"
        command.also(world)


def resume(world: World) -> None:
    """Let deadlines pass until every order is settled."""
    world.wire.plan = nothing_fails
    for _ in range(_DEADLINES):
        if not invariants.unsettled(world):
            return
        world.pass_time(661)
        world.run_schedule("order_saga/resume_stuck_orders")
        world.drain()
    assert not invariants.unsettled(world), "an order is stuck for good"
