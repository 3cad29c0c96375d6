"""Faults that last: every attempt of one call fails, until the platform has given up."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults import invariants
from tests.faults.command import always
from tests.faults.commands import BACKWARD, FORWARD
from tests.faults.trials import Trials
from tests.faults.wire import Call, Fault
from tests.faults.world import World

# Nothing is done where these last; where an answer or a process is lost, the call itself was done.
_NOTHING_DONE = {Fault.ERROR, Fault.THROTTLED, Fault.CONFLICT}


def _calls(trials: Trials, functions: frozenset[str]) -> Iterator[tuple[Call, Fault]]:
    for call in dict.fromkeys(call for call in trials.calls if call.function in functions):
        for fault in call.faults():
            if fault is not Fault.LOST_ONCE:  # botocore's retry mends it, however often it happens
                yield call, fault


@pytest.mark.parametrize("function", sorted(FORWARD))
def test_a_step_that_cannot_go_forward_is_undone(function: str, trials: Callable[[str], Trials], world: World) -> None:
    order = trials("order one line")
    for call, fault in _calls(order, frozenset({function})):
        left = order.break_for_long(always(call.function, call.operation, fault, call.target))
        ends = {"failed"} if fault in _NOTHING_DONE else {"failed", "confirmed"}
        assert invariants.statuses(world) <= ends, f"{fault} at each {call}"
        assert not left, f"{fault} at each {call}: the saga itself settles the order"


@pytest.mark.parametrize("name", ["gateway charges and stays silent", "stock cannot be read", "cancel confirmed"])
@pytest.mark.parametrize("function", sorted(BACKWARD))
def test_an_order_whose_undoing_fails_for_long_is_undone_when_the_fault_is_gone(
    name: str, function: str, trials: Callable[[str], Trials], world: World
) -> None:
    order = trials(name)
    # An order that could not even be failed is pending, and the schedule drives it forward.
    ends = {"canceled"} if name.startswith("cancel") else {"failed", "confirmed"}
    for call, fault in _calls(order, frozenset({function})):
        left = order.break_for_long(always(call.function, call.operation, fault, call.target))
        assert invariants.statuses(world) <= ends, f"{fault} at each {call}"
        assert left or fault not in _NOTHING_DONE, f"{fault} at each {call}: settled, though nothing was undone"
