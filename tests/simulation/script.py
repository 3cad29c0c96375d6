"""What everybody will do in a day, from its seed: a few rushes with quiet between them, the last a day after the first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from tests.faults.command import Command
from tests.simulation.scene import Action, Play, Request, Scene, What
from tests.simulation.scheduler import dice
from tests.simulation.weather import Weather

_HOUR = 3600
# The last is after the keys of the first have expired.
_RUSHES = (1 * _HOUR, 4 * _HOUR, 7 * _HOUR, 26 * _HOUR)
_CALM_AFTER = 120
_AT_ONCE = 0.5
_GAPS = (0.05, 0.5, 5)
_AGAIN = 0.2


@dataclass(frozen=True, slots=True)
class Rush:
    """A time of the day when much is done at once, in its own weather; *until* when the faults last."""

    actions: list[Action]
    weather: Weather
    since: float
    until: float


def write(seed: int, register: dict[str, Command]) -> list[Rush]:
    """Return the day of *seed*."""
    plays = [command.plays for command in register.values() if command.plays]
    written: list[Action] = []
    rushes = []
    for since in _RUSHES:
        chance = dice(seed, "rush", since)
        lasts = chance.choice((1, 10, 60, 600))
        # Not a little of everything, but much of some: what goes wrong together is then done together (swarm testing).
        favour = [play.often * chance.choice((0, 1, 1, 8)) for play in plays]
        begun = len(written)
        for at in _moments(chance, since, lasts):
            action = _action(seed, len(written), at, chance.choices(plays, favour if any(favour) else None)[0], written)
            written += [action] if action else []
        until = since + lasts + _CALM_AFTER
        rushes.append(Rush(written[begun:], Weather.of(chance, since, lasts), since, until))
    return rushes


def _moments(chance: Random, since: float, lasts: float) -> Iterator[float]:
    """Yield when something is done: every now and then, and much at the same moment."""
    at = since
    for _ in range(chance.choice((5, 15, 30))):
        at = at + chance.uniform(0, chance.choice(_GAPS)) if chance.random() < _AT_ONCE else since + chance.uniform(0, lasts)
        yield at


def _action(seed: int, number: int, at: float, play: Play, before: list[Action]) -> Action | None:
    chance = dice(seed, "action", number)
    keyed = [action for action in before if isinstance(action.what, Request) and action.what.key]
    what = play.asks(Scene(chance, number, at, before))
    if keyed and chance.random() < _AGAIN:
        what = _with_a_used_key(chance, chance.choice(keyed[-20:]), what)
    if what is None:
        return None
    twice = chance.choice((0.0, 0.005, 0.03, 0.2, 2.0)) if chance.random() < _AGAIN else None
    return Action(number, at, what, tries=chance.choice((1, 2, 4, 8)), twice=twice)


def _with_a_used_key(chance: Random, used: Action, what: What) -> What:
    """Return *used* again, or *what* under its key: another's key means nothing, one's own stands for something else."""
    assert isinstance(used.what, Request)
    if isinstance(what, Request) and what.key and chance.random() < 0.3:
        return replace(what, key=used.what.key)
    return used.what
