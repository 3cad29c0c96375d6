"""A failure's story, shortened: what need not have happened for it is left out (Zeller: delta debugging)."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.day import Day, Simulator

_MOST_RUNS = 250


@dataclass(frozen=True, slots=True)
class Story:
    """The shortest *day* found that fails as the *whole* one did."""

    whole: Day
    day: Day

    def __str__(self) -> str:
        """Tell it: what broke, what happened before, and how to see it again."""
        seed, whole, day = self.whole.seed, self.whole, self.day
        actions = f"{len(day.actions)} actions of {len(whole.actions)}"
        faults = f"{len(day.befell)} faults of {len(whole.befell)}"
        told = [line for line in day.transcript[:-1] if not line[13:].startswith(" ")]
        again = f"make simulate SEED={seed} ONLY={','.join(map(str, day.actions))}"
        return "\n".join(
            [
                f"seed {seed}: {day.failure} ({actions}, {faults})",
                *told,
                f"again: {again}",
                f"the whole day: make simulate SEED={seed}",
            ]
        )


def shorten(simulator: Simulator, whole: Day) -> Story:
    """Return the story of a day that failed."""
    best = whole
    runs = 0

    def fails(actions: frozenset[int], befalls: frozenset[str] | None) -> bool:
        nonlocal best, runs
        runs += 1
        day = simulator.run(whole.seed, actions=actions, befalls=befalls) if runs <= _MOST_RUNS else Day(whole.seed)
        if day.failure is None or _kind(day.failure) != _kind(whole.failure or ""):
            return False
        best = day
        return True

    _smallest(whole.actions, lambda actions: fails(frozenset(actions), None))
    actions = frozenset(best.actions)
    _smallest(best.befell, lambda befalls: fails(actions, frozenset(befalls)))
    _smallest(best.actions, lambda fewer: fails(frozenset(fewer), frozenset(best.befell)))
    return Story(whole, best)


def _kind(failure: str) -> str:
    """Return what broke, whoever's it was."""
    return re.sub(r"[\da-f-]{2,}|\d", "#", failure)


def _smallest[T](items: list[T], still: Callable[[list[T]], bool]) -> list[T]:
    """Return some of *items* none of which can be left out: half of them at first, a single one in the end."""
    size = (len(items) + 1) // 2
    while items and size:
        start = 0
        while start < len(items):
            rest = items[:start] + items[start + size :]
            if still(rest):
                items = rest
            else:
                start += size
        size //= 2
    return items
