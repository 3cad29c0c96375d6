"""What became of a delivery run: the promises, held against what is stored and what clients saw; and its figures."""

from bisect import bisect, insort
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import comb
from statistics import quantiles
from typing import Any

from tests.faults import passing
from tests.simulation.readers import Book
from tests.simulation.senders import Told
from tillflow.contexts.eventflow.eventlog import Event
from tillflow.values import clock


def _moment(text: str) -> float:
    """Return the moment that an ISO 8601 text is, in the seconds of the simulated time."""
    return (clock.parse(text) - passing.START).total_seconds()


@dataclass(slots=True)
class Delivered:
    """
    A run of a *seed*: what consumers saw (*books*), producers were told, and what befell it (*kinds*).

    *stored* are the events that there are in the end, *dead* what was dead when the weather was fair, before it was sent again,
    *left* what was dead after that. *again*: how many requests were sent again.
    """

    seed: int
    events: int
    books: list[Book]
    told: Told
    kinds: Counter[str]
    stored: list[Event] = field(default_factory=list)
    dead: dict[str, list[str]] = field(default_factory=dict)
    left: list[Any] = field(default_factory=list)
    again: int = 0
    seconds: float = 0.0

    # --- the promises

    def hold(self) -> None:
        """
        Hold every promise.

        Raises:
            AssertionError: this one was not kept.
        """
        stored = {event.event_id for event in self.stored}
        assert self.told.accepted <= stored, f"{len(self.told.accepted - stored)} events were accepted and are not there"
        twice = [sent for sent, times in Counter(map(_sent, self.stored)).items() if times > 1]
        assert not twice, f"{len(twice)} events were sent once and are stored twice"
        for book in self.books:
            self._hold(book)
        assert not self.left, f"{len(self.left)} are dead that should not be"

    def _hold(self, book: Book) -> None:
        due = {event.event_id for event in self._due(book)}
        lost = due - book.done
        assert not lost, f"{len(lost)} of {len(due)} events never came to {book.name}"
        wrong = book.begun.keys() - {event.event_id for event in self.stored if book.wants(event.event_type)}
        assert not wrong, f"{len(wrong)} events came to {book.name}, which does not want them"
        assert not book.lies, f"{len(book.lies)} events were said to be acknowledged by {book.name}, and came again"
        spoiled = {event.event_id for event in self._due(book) if (event.payload or {}).get("spoiled")}
        expected = spoiled if book.spoils else set()
        assert set(self.dead[book.name]) == expected, f"of {book.name}, others are dead than it failed on"

    def _due(self, book: Book) -> list[Event]:
        """Return the events that a consumer must have had."""
        return [event for event in self.stored if book.is_due(event.event_type, _moment(event.received_at))]

    # --- the figures

    def report(self) -> Iterator[str]:
        """Yield the lines of what is to be told."""
        told = self.told
        yield f"seed {self.seed}: {len(self.stored)} of {self.events} events accepted, {told.in_batches} of them in batches"
        yield f"  {self.again} requests were sent again (none without a key), and {told.replayed} events were known by then"
        yield f"  all took {self.seconds:.0f} s of simulated time"
        for book in self.books:
            yield from self._of(book)
        yield "what befell them: " + _counted(self.kinds)
        yield "pairs of one producer's events that came in the other order than they were sent:"
        for number, events in sorted(self._by_producer().items()):
            each = (f"{book.name} {_turned(book, events)}" for book in self.books)
            yield f"  producer {number}: {', '.join(each)}"

    def _of(self, book: Book) -> Iterator[str]:
        due, dead = self._due(book), len(self.dead.get(book.name, ()))
        yield f"{book.name} ({', '.join(book.types)}; {book.ack}, pollers: {book.pollers}): {len(due)} were due"
        yield f"  {len(book.begun)} came, in {book.deliveries} deliveries; {dead} were dead, and sent again"
        yield f"  {book.duplicates.total()} came again: {_counted(book.duplicates)}"
        received = {event.event_id: _moment(event.received_at) for event in self.stored}
        took = [at - received[event_id] for event_id, at in book.begun.items() if event_id in received]
        if len(took) > 1:
            parts = quantiles(took, n=20)
            yield f"  accepted to handled: p50 {parts[9]:.1f} s, p95 {parts[18]:.1f} s (simulated)"

    def _by_producer(self) -> dict[int, dict[str, int]]:
        """Return the events of each producer, with their numbers."""
        found: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for event in self.stored:
            number, of = _sent(event)
            found[number][event.event_id] = of
        return found


def _sent(event: Event) -> tuple[int, int]:
    """Return who has sent an event, and as which of theirs."""
    payload = event.payload or {}
    return payload["producer"], payload["number"]


def _turned(book: Book, events: dict[str, int]) -> str:
    """Tell how many pairs of these events came in the other order, of how many."""
    came = [events[event_id] for event_id in book.begun if event_id in events]
    seen: list[int] = []
    turned = 0
    for number in came:
        turned += len(seen) - bisect(seen, number)
        insort(seen, number)
    return f"{turned} of {comb(len(came), 2)} ({turned / max(1, comb(len(came), 2)):.0%})"


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{times} {what}" for what, times in counter.most_common() if times) or "none"
