"""
The proof of levels: what they say against what the ledger has (docs/adr/0016). No I/O.

A level counts the events that stand in it. What was seen of the ledger before a level was read stood in it then, as long as no
reservation among it was released meanwhile: so where the two have as many events they have the same, and their units are equal
or something is wrong. Where the level has more, some were not seen yet: nothing is said, and it is looked at again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from tillflow.contexts.stock.rules import Level, Line


@dataclass(frozen=True, slots=True)
class Sum:
    """So many *units* that so many *events* have moved."""

    units: int = 0
    events: int = 0

    def plus(self, quantity: int) -> "Sum":
        """Return it with one more event."""
        return Sum(self.units + quantity, self.events + 1)


@dataclass(slots=True)
class Account:
    """
    What the ledger has of one variant in one warehouse: the sum that stands in each of its shards.

    *settled* is the part of it that was recorded before *until*, which no later event can be. *last* is the newest event in it,
    *lost* are those that are listed and not in the ledger, with what lists them.
    """

    until: str
    settled: dict[int, Sum] = field(default_factory=dict)
    standing: dict[int, Sum] = field(default_factory=dict)
    last: str | None = None
    lost: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def enter(self, event_id: str, lines: Iterable[Line], *, is_settled: bool) -> None:
        """Add an event's *lines* of this variant in this warehouse."""
        for line in lines:
            self.standing[line.shard] = self.standing.get(line.shard, Sum()).plus(line.quantity)
            if is_settled:
                self.settled[line.shard] = self.settled.get(line.shard, Sum()).plus(line.quantity)
        self.last = event_id


class Verdict(Enum):
    """What a look at levels has shown."""

    PROVEN = auto()
    UNSEEN = auto()
    WRONG = auto()


@dataclass(frozen=True, slots=True)
class Difference:
    """A level (*there*, or none is) that is not what the ledger has of it."""

    level: Level
    there: bool
    ledger: Sum

    @property
    def units(self) -> int:
        """How many units more the level has than the ledger (negative: fewer)."""
        return self.level.available - self.ledger.units

    @property
    def corrected(self) -> Level:
        """The corrected level. It keeps what it has, for orders rest on that (but no less than none): the ledger follows."""
        available = max(self.level.available, 0)
        events = self.ledger.events + (available != self.ledger.units)
        return Level(self.level.variant_id, self.level.warehouse_id, available, shard=self.level.shard, events=events)


@dataclass(frozen=True, slots=True)
class Sight:
    """
    What was seen of one variant in one warehouse: first its *account*, then its *levels* (by shard).

    *has_moved*: meanwhile a reservation was released that the account counts.
    """

    variant_id: str
    warehouse_id: str
    sku: str
    account: Account
    levels: Mapping[int, Level]
    has_moved: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        """The ids of the variant and the warehouse."""
        return self.variant_id, self.warehouse_id

    def moved(self) -> "Sight":
        """Return it as what shows nothing."""
        return replace(self, has_moved=True)

    @property
    def differences(self) -> Sequence[Difference]:
        """The levels that are not what the ledger has of them."""
        return [each for each in self._compared() if not _is_right(each)]

    @property
    def verdict(self) -> Verdict:
        """What it shows."""
        if self.has_moved or any(each.ledger.events < each.level.events for each in self._compared()):
            return Verdict.UNSEEN
        return Verdict.WRONG if self.differences or self.account.lost else Verdict.PROVEN

    @property
    def stands(self) -> list[list[int]]:
        """What two looks at the same state have in common."""
        return [
            [each.level.shard, each.level.available, each.level.events, each.ledger.units, each.ledger.events]
            for each in self._compared()
        ]

    def _compared(self) -> Iterable[Difference]:
        for shard in sorted(self.levels.keys() | self.account.standing.keys()):
            level = self.levels.get(shard)
            empty = Level(self.variant_id, self.warehouse_id, 0, shard=shard)
            yield Difference(level or empty, level is not None, self.account.standing.get(shard, Sum()))


def _is_right(compared: Difference) -> bool:
    level, ledger = compared.level, compared.ledger
    return (level.available, level.events) == (ledger.units, ledger.events) and level.available >= 0


def returns_wrongly(reserved: Sequence[Line], returned: Sequence[Line] | None, *, is_returned: bool) -> str | None:
    """
    Return what is wrong with a reservation that was given back, or None.

    What was sold, and is *returned*, is made good by one event of the opposite lines; what was only held, by none.
    """
    if not is_returned:
        return None if returned is None else "its units came back, though it was not returned"
    if returned is None:
        return "its units never came back"
    back = {(line.variant_id, line.warehouse_id, line.shard): -line.quantity for line in returned}
    taken = {(line.variant_id, line.warehouse_id, line.shard): line.quantity for line in reserved}
    return None if back == taken else "other units came back than it had"
