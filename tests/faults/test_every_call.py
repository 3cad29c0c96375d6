"""Every AWS and gateway call of every command × everything that can happen to it × the platform's retry."""

from typing import Any

import pytest

from tests.faults import commands
from tests.faults.command import REGISTER
from tests.faults.trials import Trials
from tests.faults.world import World

assert commands  # importing it fills the register


@pytest.mark.parametrize("name", REGISTER)
def test_whatever_single_fault_befalls_a_call_the_command_ends_as_it_must(name: str, empty_world: tuple[World, Any]) -> None:
    trials = Trials(empty_world[0], REGISTER[name], empty_world[1])
    failures = []
    for number, call, fault in trials.points():
        try:
            trials.break_one(number, fault)
        except AssertionError as error:
            failures.append(f"{fault} at call {number}, {call}: {str(error).splitlines()[0]}")
    assert not failures, "\n".join(failures)
