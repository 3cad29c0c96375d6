"""Several things at once: each runs until its next call, and the test says whose turn it is."""

import threading
from collections.abc import Callable
from typing import Self

from tests.faults.wire import Wire


class _Died(BaseException):
    """Whatever runs in this thread is no more, and nobody tries it again."""


class _Actor(threading.Thread):
    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.go, self.paused = threading.Semaphore(0), threading.Semaphore(0)
        self.ended = False
        self.dies = False
        self.error: BaseException | None = None
        self._act = act

    def run(self) -> None:
        try:
            self.pause()
            self._act()
        except _Died:
            pass
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            self.error = error
        self.ended = True
        self.paused.release()

    def pause(self) -> None:
        """Wait for this actor's turn."""
        self.paused.release()
        self.go.acquire()
        if self.dies:
            raise _Died


class Together:
    """*acts* that happen at the same time: `with Together(wire, one, other) as both: both.turn(0, calls=3)`."""

    def __init__(self, wire: Wire, *acts: Callable[[], None]) -> None:
        self._wire = wire
        self._alone = wire.pause
        self._actors = [_Actor(act) for act in acts]

    def __enter__(self) -> Self:
        """Have everybody wait for a turn."""
        self._wire.pause = self._pause
        for actor in self._actors:
            actor.start()
            actor.paused.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        """Let everybody finish, in order."""
        for number in range(len(self._actors)):
            self.finish(number)
        self._wire.pause = self._alone

    def _pause(self) -> None:
        self._alone()
        thread = threading.current_thread()
        if isinstance(thread, _Actor):
            thread.pause()

    def turn(self, number: int, calls: int = 1) -> bool:
        """Let an actor make some *calls*; return whether there may be more."""
        actor = self._actors[number]
        for _ in range(calls):
            if actor.ended:
                break
            actor.go.release()
            actor.paused.acquire()
        if actor.error:
            error, actor.error = actor.error, None
            raise error
        return not actor.ended

    def finish(self, number: int) -> None:
        """Let an actor go on to its end."""
        while self.turn(number):
            pass

    def die(self, number: int) -> None:
        """End an actor where it is: its next call is not made."""
        self._actors[number].dies = True
        self.finish(number)
