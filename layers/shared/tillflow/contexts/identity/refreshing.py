"""
The refresh machine: which refresh tokens of a session are good, and what becomes of it when one is used.

Each rotation makes a new generation. The *current* one rotates. The *previous* one, the current's parent, is an answer
that was lost or another tab: soon, it is given the same successor again; later, when the successor was never used, a
successor of its own, and the lost one is poisoned with everything older. Whoever comes with one of those has stolen a token,
or was stolen from: the session is over, for both.
"""

from dataclasses import dataclass, replace

from tillflow.contexts.identity.refusals import InvalidRefreshToken

# For so long is a token's first use answered again, and so often; what was under way with it, always.
GRACE_MS = 30_000
MOST_REISSUES = 10


class Stolen(Exception):
    """The token must have been stolen: the session is to be revoked."""


@dataclass(frozen=True, slots=True)
class Generations:
    """
    A session's generations: the *current* one, its parent, and when it was made.

    It was told *reissues* times more, and last (or first) at *told_at*. Times are in milliseconds since 1970.
    """

    current: int
    previous: int
    rotated_at: int
    told_at: int
    reissues: int


FIRST = 1


def begun(now: int) -> Generations:
    """Return the generations of a new session."""
    return Generations(FIRST, 0, now, now, 0)


def presented(known: Generations, generation: int, *, arrived: int, now: int) -> Generations:
    """
    Return the generations after a token of this *generation* was used; its holder is given the current one.

    *arrived* is when its request came, *now* is the time (ms since 1970).

    Raises:
        Stolen: see above.
        InvalidRefreshToken: it has been told its successor too often in too short a time.
    """
    if generation == known.current:
        return Generations(known.current + 1, known.current, now, now, 0)
    if generation != known.previous:
        raise Stolen
    if arrived <= known.told_at:
        return known  # it was under way when another was faster
    if now - known.rotated_at > GRACE_MS:
        return Generations(known.current + 1, generation, now, now, 0)
    if known.reissues >= MOST_REISSUES:
        raise InvalidRefreshToken("This refresh token has been used. Use the one that it was answered with, or log in.")
    return replace(known, told_at=now, reissues=known.reissues + 1)
