"""Sagas that always end: two runs of one order's saga, or a saga and a cancel, interleaved call by call."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults import invariants
from tests.faults.client import cancel, place
from tests.faults.commands import ONE_LINE, shop
from tests.faults.machine import Execution
from tests.faults.together import Together
from tests.faults.trials import TRIED, resume
from tests.faults.wire import Call, Fault, Plan
from tests.faults.world import World

_SAGA, _OTHER = 0, 1
_MOST_CALLS = 40

type Act = Callable[[], None]
type Other = Callable[["Race"], Act]


class Race:
    """An order whose saga is about to run, beside something *other*."""

    def __init__(self, world: World, arranged: object, other: Other) -> None:
        world.restore(arranged)
        self.world = world
        ((machine, self._given),) = world.pending.starts
        self._machine = machine
        world.pending.starts.clear()
        self.together = Together(world.wire, self.saga().run, other(self))

    def saga(self) -> Execution:
        """Return a run of the order's saga."""
        return self.world.execution(self._machine, self._given)

    @property
    def order_id(self) -> str:
        """The order."""
        return str(self._given["data"]["order_id"])

    def end(self) -> None:
        """Deliver what is left to deliver, let deadlines pass, and hold the world against the invariants."""
        self.world.drain()
        resume(self.world)
        invariants.check(self.world)
        assert invariants.statuses(self.world) <= {"confirmed", "failed", "canceled"}
        TRIED["interleavings"] += 1


def _another_saga(race: Race) -> Act:
    return race.saga().run


def _a_cancel(race: Race) -> Act:
    def act() -> None:
        cancel(race.world, race.order_id)
        race.world.deliver_stream("OrdersTable")
        race.world.execution(*race.world.pending.starts.pop()).run()

    return act


_OTHERS = pytest.mark.parametrize("other", [_another_saga, _a_cancel])


@pytest.fixture(scope="module")
def arranged(empty: object, world: World) -> object:
    """An order, created and about to be driven."""
    world.restore(empty)
    shop(world)
    place(world, ONE_LINE)
    world.deliver_stream("IdempotencyTable")
    return world.snapshot()


@pytest.fixture(scope="module")
def calls(world: World, arranged: object) -> list[Call]:
    """The calls of the saga when nothing disturbs it."""
    race = Race(world, arranged, _another_saga)
    with race.together as both:
        both.finish(_SAGA)
        alone = list(world.wire.calls)
    race.end()
    return alone


@_OTHERS
@pytest.mark.parametrize("dies", [False, True])
def test_whatever_comes_between_two_calls_of_a_saga(
    other: Other, *, dies: bool, world: World, arranged: object, calls: list[Call]
) -> None:
    for number in range(len(calls) + 1):
        race = Race(world, arranged, other)
        with race.together as both:
            both.turn(_SAGA, number)
            both.finish(_OTHER)
            if dies:
                both.die(_SAGA)
        race.end()


@_OTHERS
def test_whatever_an_undoing_has_read_a_write_of_a_dying_saga_comes_between(
    other: Other, world: World, arranged: object, calls: list[Call]
) -> None:
    for number, call in enumerate(calls):
        for others in range(_MOST_CALLS if call.writes else 0):
            race = Race(world, arranged, other)
            with race.together as both:
                both.turn(_SAGA, number)
                goes_on = both.turn(_OTHER, others)
                both.turn(_SAGA)
                both.die(_SAGA)
            race.end()
            if not goes_on:
                break


@_OTHERS
def test_any_interleaving_with_any_fault_ends(other: Other, world: World, arranged: object) -> None:
    turns = st.lists(st.tuples(st.sampled_from([_SAGA, _OTHER]), st.integers(1, 4)), max_size=14)
    faults = st.one_of(st.none(), st.tuples(st.integers(0, _MOST_CALLS), st.sampled_from(Fault)))

    # The same examples each time: what fails once must fail again.
    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    @given(turns=turns, fault=faults, dies=st.booleans())
    def ends(turns: list[tuple[int, int]], fault: tuple[int, Fault] | None, *, dies: bool) -> None:
        race = Race(world, arranged, other)
        world.wire.plan = _if_it_can(fault)
        with race.together as both:
            for who, times in turns:
                both.turn(who, times)
            if dies:
                both.die(_SAGA)
        race.end()

    ends()


def _if_it_can(fault: tuple[int, Fault] | None) -> Plan:
    return lambda number, call: fault[1] if fault and number == fault[0] and fault[1] in call.faults() else None
