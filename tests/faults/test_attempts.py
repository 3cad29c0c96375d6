"""Attempts at once: whatever comes between two calls of one, no more go on than there is room for."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.together import Together
from tests.faults.trials import TRIED
from tests.faults.wire import Call, Fault
from tests.faults.world import World
from tillflow.contexts.identity import attempts
from tillflow.contexts.identity.attempts import TooManyAttempts
from tillflow.errors import Unavailable

_ACTORS = 9


class Crowd:
    """Everybody guesses at one account from one address; what went on is in *taken*."""

    def __init__(self) -> None:
        self.taken: list[attempts.Taken] = []
        self.refused = 0
        self.unanswered = 0

    def guess(self) -> None:
        try:
            self.taken.append(attempts.login("ada@example.com", "192.0.2.1", None))
        except TooManyAttempts:
            self.refused += 1
        except Unavailable:
            self.unanswered += 1


def _failing(plan: dict[int, Fault]) -> Callable[[int, Call], Fault | None]:
    return lambda number, _: plan.get(number)


@settings(max_examples=150, deadline=None)
@given(
    turns=st.lists(st.integers(0, _ACTORS - 1), max_size=60),
    plan=st.dictionaries(st.integers(0, 40), st.sampled_from([Fault.CONFLICT, Fault.LOST_ONCE, Fault.THROTTLED]), max_size=4),
)
def test_of_many_guesses_at_once_five_go_on(world: World, empty: object, turns: list[int], plan: dict[int, Fault]) -> None:
    world.restore(empty)
    world.wire.plan = _failing(plan)
    crowd = Crowd()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGIN_ATTEMPTS_PER_ACCOUNT", "5")
        with Together(world.wire, *[crowd.guess] * _ACTORS) as all_of_them:
            for number in turns:
                all_of_them.turn(number)

    assert len(crowd.taken) <= 5
    assert len(crowd.taken) == 5 or crowd.unanswered
    assert len(crowd.taken) + crowd.refused + crowd.unanswered == _ACTORS
    TRIED["interleavings"] += 1


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.LOST])
@pytest.mark.parametrize("number", [0, 1])
def test_where_it_cannot_be_counted_nobody_goes_on(world: World, empty: object, number: int, fault: Fault) -> None:
    world.restore(empty)
    world.wire.plan = lambda at, _: fault if at >= number else None

    with pytest.raises(Unavailable):
        attempts.login("ada@example.com", "192.0.2.1", None)


def test_a_lost_answer_counts_once(world: World, empty: object) -> None:
    world.restore(empty)
    world.wire.plan = _failing({1: Fault.LOST_ONCE})
    crowd = Crowd()
    for _ in range(6):
        crowd.guess()

    assert (len(crowd.taken), crowd.refused) == (5, 1)
