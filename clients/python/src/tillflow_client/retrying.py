"""Trying again: full jitter, what the server asks for (`Retry-After`), and a bounded time for all of it."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from tillflow_client.wire import Answer, Flow, Pause, Request, failure

_MOST_DOUBLINGS = 30


@dataclass(frozen=True)
class Retry:
    """
    How patiently a call is made again, in seconds.

    Pauses are a random part of *first*, twice that, … at most *longest*. No pause begins that would end later than *total*
    seconds after the first attempt.
    """

    total: float = 60.0
    first: float = 0.2
    longest: float = 10.0


class Tries:
    """The attempts of one call, from now on."""

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._until = time.monotonic() + retry.total
        self._made = 0

    def pause(self, at_least: float = 0.0) -> float | None:
        """Return how long to wait before the next attempt, or None where there is no time for one."""
        seconds = at_least + jittered(self._retry.first, self._retry.longest, self._made)
        self._made += 1
        return seconds if time.monotonic() + seconds < self._until else None


def is_replay(answer: Answer) -> bool:
    """Tell whether the server gives an answer again, under an idempotency key."""
    return answer.headers.get("X-Idempotent-Replay") == "true"


def jittered(first: float, longest: float, doublings: int) -> float:
    """Return a random part of *first* seconds, doubled so many times, of at most *longest* ("full jitter")."""
    return random.uniform(0, min(longest, first * 2 ** min(doublings, _MOST_DOUBLINGS)))  # noqa: S311 - jitter, not a secret


def ask(request: Request, tries: Tries) -> Flow[Answer]:
    """
    Return the answer to *request*, a success; it must be safe to send twice.

    Raises:
        ApiError: the server refused it, or failed until there was no time left.
        NoAnswer: nobody answered until there was no time left.
    """
    while True:
        reply = yield request
        if isinstance(reply, Answer) and reply.is_success:
            return reply
        error = failure(reply)
        pause = tries.pause(error.retry_after) if error.again else None
        if pause is None:
            raise error
        yield Pause(pause)
