"""Every AWS and gateway call of every command, everything that can happen to it, and the platform's retry."""

from collections.abc import Callable

import pytest

from tests.faults.commands import REGISTER
from tests.faults.trials import Trials
from tests.faults.world import World


@pytest.mark.parametrize("name", REGISTER)
def test_whatever_single_fault_befalls_a_call_the_command_ends_as_it_must(name: str, trials: Callable[[str], Trials]) -> None:
    failures = []
    for number, call, fault in trials(name).points():
        try:
            trials(name).break_one(number, fault)
        except AssertionError as error:
            failures.append(f"{fault} at call {number}, {call}: {str(error).splitlines()[0]}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("name", REGISTER)
def test_every_event_may_come_twice(name: str, trials: Callable[[str], Trials]) -> None:
    trials(name).deliver_everything_twice()


def test_every_function_that_writes_is_broken_by_a_registered_command(trials: Callable[[str], Trials], world: World) -> None:
    broken = {call.function for name in REGISTER for _, call, _ in trials(name).points()}
    assert world.wiring.writers - broken == set()
