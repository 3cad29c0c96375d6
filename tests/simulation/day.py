"""One simulated day, from its seed to its end, and what broke in it."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults import invariants, passing
from tests.faults.command import Command
from tests.simulation.cloud import Cloud
from tests.simulation.evening import QuietEvening
from tests.simulation.people import People
from tests.simulation.promises import PROMISES
from tests.simulation.script import Rush, write
from tests.simulation.weather import Fate, Weather
from tillflow.values import clock

_MOST_MINUTES = 150


@dataclass(slots=True)
class Day:
    """What became of a day: *failure* is what broke, *transcript* everything that happened, *befell* what went wrong."""

    seed: int
    failure: str | None = None
    transcript: list[str] = field(default_factory=list)
    befell: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    actions: list[int] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Everything that happened, in a word: the same seed gives the same on every machine."""
        return hashlib.sha256("\n".join(self.transcript).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Simulator:
    """Runs days of what is in *register* on *cloud*, each from the *opened* shop."""

    cloud: Cloud
    opened: Any
    register: dict[str, Command]

    def run(self, seed: int, *, actions: frozenset[int] | None = None, befalls: frozenset[str] | None = None) -> Day:
        """Return the day of *seed*; of its actions and of what befalls it only those, if they are given."""
        day = Day(seed)
        cloud = self.cloud

        def note(text: str) -> None:
            day.transcript.append(f"{passing.waited():12.3f} {text}")

        cloud.restore(self.opened)
        fate = Fate(seed, note, befalls)
        cloud.begin(fate)
        people = People(cloud)
        try:
            for rush in write(seed, self.register):
                kept = [action for action in rush.actions if actions is None or action.number in actions]
                day.actions += [action.number for action in kept]
                if kept:
                    self._rush(rush, people, kept)
                    self._hold(people)
        except AssertionError as error:
            day.failure = str(error).partition("\n")[0] or repr(error)
            note(f"FAILED {day.failure}")
        finally:
            cloud.scheduler.stop()
        note(
            json.dumps(
                {
                    name: table.items and sorted(map(str, table.items.items()))
                    for name, table in cloud.wire.dynamodb.tables.items()
                }
            )
        )
        day.befell = list(fate.befell)
        day.figures = Counter(
            days=1,
            requests=len(people.history),
            invocations=cloud.lambdas.started,
            calls=len(cloud.wire.calls),
            faults=len(fate.befell),
            orders=len(cloud.wire.dynamodb.tables["OrdersTable"].items),
        )
        return day

    def _rush(self, rush: Rush, people: People, actions: list[Any]) -> None:
        cloud, scheduler = self.cloud, self.cloud.scheduler
        assert passing.waited() < rush.since
        passing.go_to(rush.since)
        cloud.have(rush.weather)
        for action in actions:
            people.will(action)
        for minute in range(int(rush.until - rush.since) // 60):
            scheduler.after(60 * minute, cloud.tick)
        # A night is as long as a rush here: what looks at everything then meets what it has to meet.
        for part in (0.3, 0.6, 0.9):
            scheduler.after(part * (rush.until - rush.since), lambda: cloud.tick(nightly=True))
        scheduler.after(rush.until - rush.since, lambda: cloud.have(Weather()))
        scheduler.run()
        for _ in range(_MOST_MINUTES):
            if not (invariants.unsettled(cloud) or invariants.importing(cloud) or invariants.replaying(cloud)):
                return
            passing.wait(60)
            if invariants.overdue(cloud, clock.iso(clock.now())):
                cloud.tick()
                scheduler.run()
        assert not invariants.unsettled(cloud), "an order is stuck for good"
        assert not invariants.importing(cloud), "an import is stuck for good"
        assert not invariants.replaying(cloud), "a replay is stuck for good"

    def _hold(self, people: People) -> None:
        evening = QuietEvening(self.cloud, people.history)
        invariants.check(evening)
        of_commands = [command.plays.holds for command in self.register.values() if command.plays]
        for holds in dict.fromkeys([*PROMISES, *of_commands]):
            holds(evening)
