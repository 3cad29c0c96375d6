"""Several things at once, of which one runs at a time: each until it pauses, and nobody but the test says whose turn it is."""

from greenlet import getcurrent, greenlet


class Actor(greenlet):
    """Runs what it is made with, from turn to turn; `dead` when that has ended."""

    def turn(self) -> None:
        """Let it run until it pauses or ends; an error that it ended with is raised here."""
        self.parent = getcurrent()
        self.switch()

    def pause(self) -> None:
        """Wait for this actor's next turn (called by what it runs)."""
        assert self.parent is not None
        self.parent.switch()

    def die(self) -> None:
        """End it where it is: what it would have done next is not done."""
        self.parent = getcurrent()
        self.throw()


def acting() -> Actor | None:
    """Return the actor whose turn it is, if it is one's."""
    current = getcurrent()
    return current if isinstance(current, Actor) else None
