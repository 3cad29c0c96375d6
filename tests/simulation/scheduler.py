"""Simulated time: what is due next happens next, and one thing runs at a time, in an order that nothing but the seed decides."""

import heapq
import random
from collections.abc import Callable
from itertools import count

from tests.faults import passing
from tests.faults.actor import Actor, acting

type Act = Callable[[], object]


def dice(*names: object) -> random.Random:
    """
    Return dice of their own for what has these *names*, the seed first.

    What has its own dice falls the same whatever else happens or does not: that is what lets a story be shortened.
    """
    return random.Random("/".join(map(str, names)))  # noqa: S311 - chance that can be had again is the point


class Scheduler:
    """What is due, and when. Whoever waits in an actor (`sleep`, `wait_for`) lets the others go on."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Act]] = []
        self._numbers = count()
        self._alive: dict[Actor, None] = {}

    def after(self, seconds: float, act: Act) -> None:
        """Have *act* happen when *seconds* have passed; of two at the same moment the first one asked for is first."""
        heapq.heappush(self._due, (passing.waited() + seconds, next(self._numbers), act))

    def run(self) -> None:
        """Let happen what is due, until nothing is."""
        while self._due:
            at, _, act = heapq.heappop(self._due)
            passing.go_to(at)
            act()

    def start(self, actor: Actor) -> None:
        """Let *actor* run from now on."""
        self._alive[actor] = None
        self.after(0, lambda: self._turn(actor))

    def _turn(self, actor: Actor) -> None:
        if actor.dead:
            return  # It was killed while it waited for this.
        try:
            actor.turn()
        finally:
            if actor.dead:
                del self._alive[actor]

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass for whoever calls."""
        if actor := acting():
            self.after(seconds, lambda: self._turn(actor))
            actor.pause()
        else:
            passing.go_to(passing.waited() + seconds)

    def wait_for[T](self, begin: Callable[[Callable[[T], None]], None]) -> T:
        """Return what *begin*, called with a function that takes it, says when it is done; of an actor only."""
        actor = acting()
        assert actor
        said: list[T] = []

        def done(result: T) -> None:
            said.append(result)
            self.after(0, lambda: self._turn(actor))

        begin(done)
        actor.pause()
        return said[0]

    def kill(self, actor: Actor) -> None:
        """End *actor* where it waits."""
        if self._alive.pop(actor, actor) is None:
            actor.die()

    def stop(self) -> None:
        """Forget what is due, and end whatever still runs."""
        self._due.clear()
        for actor in list(self._alive):
            self.kill(actor)
