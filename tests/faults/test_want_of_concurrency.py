"""A step that Lambda has no concurrency left for: it is waited for, and what cannot wait longer is only late."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.faults import invariants, passing
from tests.faults.client import place
from tests.faults.commands import BACKWARD, FORWARD, ONE_LINE, shop
from tests.faults.trials import resume
from tests.faults.wire import Gone
from tests.faults.world import World

# What Step Functions calls it: docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
THROTTLED = "Lambda.TooManyRequestsException"

type Refuses = Callable[[int], bool]


@contextmanager
def throttled(world: World, function: str, refuses: Refuses) -> Iterator[None]:
    """Have Lambda refuse to run *function* at the attempts (from 1) that *refuses* says."""
    invoke, attempts = world.invoke, 0

    def throttling(name: str, event: dict[str, Any]) -> Any:
        nonlocal attempts
        attempts += name == function
        if name == function and refuses(attempts):
            raise Gone(THROTTLED)
        return invoke(name, event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "invoke", throttling)
        yield


def order(world: World, empty: object, token: str | None = None) -> None:
    world.restore(empty)
    shop(world)
    place(world, ONE_LINE, token=token)


@pytest.mark.parametrize("function", sorted(FORWARD))
def test_an_order_whose_step_finds_no_concurrency_is_confirmed_later(function: str, empty: object, world: World) -> None:
    order(world, empty)

    with throttled(world, function, lambda _: True):
        world.drain()
    assert invariants.statuses(world) == {"pending"}
    assert invariants.unsettled(world)
    assert [run.succeeded for run in world.executions] == [False], "the alarm of failed sagas tells of it"

    resume(world)
    assert invariants.statuses(world) == {"confirmed"}
    invariants.check(world)


@pytest.mark.parametrize("function", sorted(BACKWARD))
def test_an_undoing_that_finds_no_concurrency_is_done_later(function: str, empty: object, world: World) -> None:
    order(world, empty, token="tok_declined")

    with throttled(world, function, lambda _: True):
        world.drain()
    assert invariants.unsettled(world)

    resume(world)
    assert invariants.statuses(world) == {"failed"}
    invariants.check(world)


@pytest.mark.parametrize("function", sorted(FORWARD | BACKWARD))
def test_a_step_waits_a_minute_and_more_for_concurrency(function: str, empty: object, world: World) -> None:
    order(world, empty, token="tok_declined" if function in BACKWARD else None)
    since = passing.waited()

    with throttled(world, function, lambda attempt: attempt < 8):
        world.drain()

    assert not invariants.unsettled(world)
    assert invariants.statuses(world) == ({"failed"} if function in BACKWARD else {"confirmed"})
    assert passing.waited() - since > 60
