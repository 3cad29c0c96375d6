"""Several things at once: each runs until its next call, and the test says whose turn it is."""

from collections.abc import Callable, Iterator
from typing import Self

from tests.faults.actor import Actor, acting
from tests.faults.wire import Wire

_MOST_CALLS = 40


class Together:
    """*acts* that happen at the same time: `with Together(wire, one, other) as both: both.turn(0, calls=3)`."""

    def __init__(self, wire: Wire, *acts: Callable[[], None]) -> None:
        self._wire = wire
        self._alone = wire.pause
        self._acts = acts

    def __enter__(self) -> Self:
        """Have everybody wait for a turn."""
        self._wire.pause = self._pause
        self._actors = [Actor(act) for act in self._acts]
        return self

    def __exit__(self, *_: object) -> None:
        """Let everybody finish, in order."""
        for number in range(len(self._actors)):
            self.finish(number)
        self._wire.pause = self._alone

    def _pause(self) -> None:
        self._alone()
        if actor := acting():
            actor.pause()

    def turn(self, number: int, calls: int = 1) -> bool:
        """Let an actor make some *calls*; return whether there may be more."""
        actor = self._actors[number]
        for _ in range(calls):
            if actor.dead:
                break
            actor.turn()
        return not actor.dead

    def finish(self, number: int) -> None:
        """Let an actor go on to its end."""
        while self.turn(number):
            pass

    def die(self, number: int) -> None:
        """End an actor where it is: its next call is not made."""
        self._actors[number].die()


def every_two(wire: Wire, arrange: Callable[[], object], *acts: Callable[[], None]) -> Iterator[None]:
    """Let two *acts* happen at once: each with each start of the other between two of its calls. Yield when both are done."""
    for first in (0, 1):
        for calls in range(_MOST_CALLS):
            for others in range(_MOST_CALLS):
                arrange()
                with Together(wire, *acts) as both:
                    goes_on = both.turn(first, calls)
                    others_go_on = both.turn(1 - first, others)
                    both.finish(first)
                yield
                if not others_go_on:
                    break
            if not goes_on:
                break
