"""What a command is to the harness. All of them are in commands.py."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.wire import Call, Fault, Plan
from tests.faults.world import World
from tests.simulation.scene import Play

type Act = Callable[[World], None]


@dataclass(frozen=True, slots=True)
class Command:
    """
    Something the stack is asked to do.

    *arrange* makes the world that *run* finds; *run* does it as the platform does, with all that it causes. Every order
    has the status *ends* then, and the event log says *events* (type: how often), whatever single fault befell it.
    What is in *anew* may happen again, where an answer was lost and the client asks again.
    *also* checks what else must be so. *breaks* limits the calls that are broken to these functions'.
    *weather* breaks calls in every run of it. *plays* is its part in the simulated days (tests/simulation).
    """

    name: str
    run: Act
    arrange: Act = lambda _: None
    ends: str | None = None
    events: dict[str, int] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()
    also: Act = lambda _: None
    breaks: frozenset[str] | None = None
    weather: Plan | None = None
    plays: Play | None = None


def always(function: str, operation: str, fault: Fault, target: str = "") -> Plan:
    """Return the plan that *fault* befalls each such call; *target* is a part of the call's."""

    def plan(_number: int, call: Call) -> Fault | None:
        return fault if (call.function, call.operation) == (function, operation) and target in call.target else None

    return plan


def once(number: int, fault: Fault) -> Plan:
    """Return the plan that *fault* befalls the call with this *number*."""
    return lambda at, _: fault if at == number else None


def both(first: Plan, second: Plan | None) -> Plan:
    """Return the plan of two; where both break a call, the *first* does."""
    return lambda number, call: first(number, call) or (second(number, call) if second else None)
