"""
A delivery run: producers send into consumers at once, while everything fails that may.

In the end the weather is fair, all is drained, what is dead is sent again, and the promises are held against what is stored and
what the clients saw.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from tests.faults import invariants, passing
from tests.faults.actor import Actor
from tests.faults.client import send
from tests.simulation.clients import Desk
from tests.simulation.cloud import Cloud
from tests.simulation.delivered import Delivered
from tests.simulation.mishaps import DELETED, STORM, Mishaps
from tests.simulation.plays.consumers import ONE
from tests.simulation.readers import Book, Reader, registered
from tests.simulation.senders import Sender, Told
from tests.simulation.weather import Weather
from tillflow.contexts.eventflow.eventlog import of_item

_PRODUCERS, _EARLY = 8, 3
# For so long they send, and a little longer for each event; then it storms on.
_SECONDS, _SECONDS_AN_EVENT, _STORMS_ON = 30, 0.05, 10
_MOST_MINUTES = 90


def _consumers() -> list[Book]:
    """Return who wants what: exact types, a prefix, everything; and those who come later."""
    return [
        Book("cash", ("till.closed", "parcel.sent"), "manual", pollers=2, lease_seconds=20, spoils=True),
        Book("tills", ("till.*",), "manual", pollers=2, lease_seconds=30),
        Book("archive", ("*",), "auto", pollers=1, lease_seconds=30),
        Book("late", ("parcel.*", "badge.read"), "manual", pollers=1, lease_seconds=30),
        Book("history", ("till.opened", "badge.read"), "manual", pollers=1, lease_seconds=30, start="earliest"),
    ]


class Run:
    """So many *events* on *cloud*, as the *seed* has it; *note* is told what happens."""

    def __init__(self, cloud: Cloud, seed: int, events: int, note: Callable[[str], None] = lambda _: None) -> None:
        fate = Mishaps(seed, note)
        cloud.begin(fate)
        self._cloud, self._desk, self._told = cloud, Desk(cloud, fate), Told()
        self._books = _consumers()
        self._readers: list[Reader] = []
        self._calm = False
        shares = [events // _PRODUCERS + (number < events % _PRODUCERS) for number in range(_PRODUCERS)]
        self._seconds = _SECONDS + _SECONDS_AN_EVENT * events
        self._senders = [
            Sender(self._desk, self._told, number, share, self._seconds) for number, share in enumerate(shares) if share
        ]
        self._sending = len(self._senders)
        self.delivered = Delivered(seed, events, self._books, self._told, fate.kinds)

    def run(self) -> Delivered:
        """
        Return what was delivered, which is what should be.

        Raises:
            AssertionError: a promise was not kept; it says which.
        """
        for book in self._books[:_EARLY]:
            self._act(partial(self._join, book))
        self._cloud.scheduler.run()
        try:
            self._storm()
            self._drain()
            self.delivered.dead = {book.name: self._dead(book) for book in self._books}
            for book in self._books:
                book.mended = True
                self._redrive(book)
            self._drain()
            self.delivered.left = [each for book in self._books for each in self._dead(book)] + self._cloud.letters
        finally:
            self._look()
        self.delivered.hold()
        return self.delivered

    def _act(self, what: Callable[[], object]) -> None:
        self._cloud.scheduler.start(Actor(what))

    # --- while it storms

    def _storm(self) -> None:
        """Let everybody do their part, until all is sent and the weather clears."""
        self._cloud.have(STORM)
        for sender in self._senders:
            self._act(partial(self._send, sender))
        for reader in self._readers:
            self._act(partial(self._follow, reader))
        for book in self._books[_EARLY:]:
            self._cloud.scheduler.after(self._seconds / 2, partial(self._act, partial(self._join_late, book)))
        self._cloud.scheduler.after(self._seconds / 3, self._delete_queue)
        self._tick()
        self._cloud.scheduler.run()

    def _send(self, sender: Sender) -> None:
        sender.run()
        self._sending -= 1
        if not self._sending:
            self._cloud.scheduler.after(_STORMS_ON, self._clear)

    def _join(self, book: Book) -> list[Reader]:
        book.since = registered(self._desk, book)
        readers = [Reader(self._desk, book, number) for number in range(book.pollers)]
        self._readers += readers
        return readers

    def _join_late(self, book: Book) -> None:
        for reader in self._join(book):
            self._act(partial(self._follow, reader))

    def _delete_queue(self) -> None:
        """Let somebody delete the queue of the consumer of a prefix, with what is in it."""
        (name,) = (name for name in self._cloud.wire.sqs.queues if name.endswith(UUID(self._books[1].consumer_id).hex))
        self._cloud.wire.sqs.do("DeleteQueue", {"QueueUrl": f"https://sqs.test/{name}"})
        self.delivered.kinds[DELETED] += 1

    def _follow(self, reader: Reader) -> None:
        while not self._calm:
            reader.read(wait=5)

    def _tick(self) -> None:
        if not self._calm:
            self._cloud.tick()
            self._cloud.scheduler.after(60, self._tick)

    def _clear(self) -> None:
        self._calm = True
        self._cloud.have(Weather())

    # --- when it is fair

    def _drain(self) -> None:
        """Let minutes pass until nobody waits for anything."""
        for _ in range(_MOST_MINUTES):
            self._cloud.tick()
            for reader in self._readers:
                self._act(partial(self._empty, reader))
            self._cloud.scheduler.run()
            if self._is_quiet():
                return
            passing.wait(60)
        raise AssertionError("there are events that are never done with")

    def _empty(self, reader: Reader) -> None:
        while reader.read(wait=0):
            pass

    def _is_quiet(self) -> bool:
        broken = [item for item in self._cloud.items("EventFlowTable") if "broken_at" in item]
        queued = [queue for queue in self._cloud.wire.sqs.queues.values() if queue.letters]
        return not (broken or queued or invariants.replaying(self._cloud))

    def _ask(self, book: Book, route: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        return send(self._cloud, route, {}, role="service", path={"id": book.consumer_id}, query=query)

    def _dead(self, book: Book) -> list[str]:
        """Return the ids of a consumer's dead letters."""
        found: list[str] = []
        query: dict[str, str] | None = {"limit": "100"}
        while query:
            page = self._ask(book, f"GET {ONE}/dead-letters", query)
            found += [each["event_id"] for each in page["items"]]
            query = query | {"next_token": page["next_token"]} if page["next_token"] else None
        return found

    def _redrive(self, book: Book) -> None:
        while self._ask(book, f"POST {ONE}/dead-letters/redrive")["remaining"]:
            pass

    def _look(self) -> None:
        """Take down what is there in the end."""
        told = self.delivered
        told.stored = [of_item(item) for item in self._cloud.items("EventsTable") if item["sk"] == "EVENT"]
        told.again, told.seconds = self._desk.again, passing.waited()
