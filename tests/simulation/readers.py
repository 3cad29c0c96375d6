"""Consumers of a delivery run: their pollers fetch, handle and acknowledge; handlers fail or are slow, and pollers die."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults import passing
from tests.simulation.clients import PATIENCE, Desk
from tests.simulation.mishaps import DIES
from tests.simulation.plays.consumers import FETCH, ONE, REGISTER, consumer_id
from tests.simulation.scene import Request
from tillflow.web import paging

_WHO = "a-service"
_DIES, _FAILS, _SLOW = 0.02, 0.01, 0.02
_HANDLING_SECONDS = (0.001, 0.02)
_OVER, _UNSAID = "its lease was over", "nobody acknowledged it"

type Lease = tuple[int, int]  # which message of the queue, delivered for the so-manieth time


@dataclass(slots=True)
class Book:
    """
    What a consumer was given: *begun* says when its handlers first saw an event, in that order, *done* what they have done with.

    If it *spoils* events, its handlers fail on what is spoiled, until they are *mended*. *since* is when it was told that it is
    a consumer. *lies* are deliveries of what it was told is acknowledged.
    """

    name: str
    types: tuple[str, ...]
    ack: str
    pollers: int
    lease_seconds: int
    start: str = "latest"
    spoils: bool = False
    mended: bool = False
    since: float = 0.0
    begun: dict[str, float] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    deliveries: int = 0
    duplicates: Counter[str] = field(default_factory=Counter)
    lies: list[str] = field(default_factory=list)
    _acknowledged: dict[int, int] = field(default_factory=dict)
    _ended: dict[int, str] = field(default_factory=dict)

    @property
    def consumer_id(self) -> str:
        """Its id."""
        return consumer_id(_WHO, self.name)

    def wants(self, event_type: str) -> bool:
        """Tell whether events of this type are for it, as the contract has it."""
        return any(event_type == each or (each.endswith("*") and event_type.startswith(each[:-1])) for each in self.types)

    def request(self, route: str, body: dict[str, Any] | None = None, **query: str) -> Request:
        """Return a request of its service."""
        key = self.name if route == REGISTER else None
        return Request(route, _WHO, "service", body, path={"id": self.consumer_id}, query=query or None, key=key)

    def registration(self) -> Request:
        """Return the request for it to be a consumer."""
        known = {"name": self.name, "ack": self.ack, "lease_seconds": self.lease_seconds, "start": self.start}
        return self.request(REGISTER, known | {"subscribed_event_types": [*self.types]})

    def is_due(self, event_type: str, received: float) -> bool:
        """Tell whether it must have what was received at that moment."""
        return self.wants(event_type) and (received > self.since or self.start == "earliest")

    def lease(self, token: str) -> Lease:
        """Return which message a token is of, and which of its leases."""
        _, receipt, *_ = paging.place_of(token, ("ack", self.consumer_id))
        number, _, lease = receipt.partition(".")
        return int(number), int(lease)

    def deliver(self, event: dict[str, Any], token: str) -> None:
        """Take down that an event was delivered."""
        (message, lease), event_id = self.lease(token), event["event_id"]
        self.deliveries += 1
        if message in self._acknowledged and lease > self._acknowledged[message]:
            self.lies.append(event_id)
        if event_id in self.begun:
            self.duplicates["replayed" if event["replayed"] else self._ended.get(message, "queued twice")] += 1
        self._ended[message] = _UNSAID

    def end(self, token: str, how: str) -> None:
        """Take down how a lease ended, should its event come again."""
        self._ended[self.lease(token)[0]] = how

    def acknowledged(self, token: str) -> None:
        """Take down that an event is said to be done with."""
        message, lease = self.lease(token)
        self._acknowledged[message] = lease


class Reader:
    """One poller of a consumer: the *number*-th."""

    def __init__(self, desk: Desk, book: Book, number: int) -> None:
        self._desk, self._book = desk, book
        self._name, self._lives = f"{book.name}-{number}", 1
        self._dice: Random = desk.fate.dice(f"poller {self._name}")

    def read(self, wait: int) -> bool:
        """Fetch, handle and acknowledge once; tell whether anything came."""
        poller = f"{self._name}-{self._lives}"
        fetch = self._book.request(FETCH, limit="50", wait=str(wait), poller=poller)
        sent = self._desk.ask(fetch, f"{poller} fetches", tries=1)
        if not sent.succeeded:
            # Another poller: with `ack: auto`, the next fetch of this one would acknowledge what it has not seen.
            self._lives += sent.status is None
            self._desk.rest(self._dice, 0.1, 2)
            return True
        given = list(zip(sent.body["events"], sent.body["ack"], strict=True))
        for event, token in given:
            self._book.deliver(event, token)
        dies = bool(given) and self._desk.fate.happens(DIES, self._desk.fate.again(poller), self._dice, _DIES)
        handled = given[: self._dice.randrange(len(given))] if dies else given
        slow = self._dice.randrange(len(given)) if given and self._dice.random() < _SLOW else None
        tokens = [self._handle(event, token, slow=number == slow) for number, (event, token) in enumerate(handled)]
        if dies:
            self._die([token for _, token in given])
        elif self._book.ack == "manual":
            self._acknowledge([token for token in tokens if token])
        return bool(given)

    def _handle(self, event: dict[str, Any], token: str, *, slow: bool) -> str | None:
        """Do with an event what is to be done; return what acknowledges it, None if it was given back."""
        self._book.begun.setdefault(event["event_id"], passing.waited())
        lease, is_manual = self._book.lease_seconds, self._book.ack == "manual"
        if slow and is_manual and self._dice.random() < 0.5:
            told = self._ask("extend", [token], seconds=2 * lease)
            token = next((each["ack"] for each in told if each["status"] == "extended"), token)
        low, high = (lease, 1.5 * lease) if slow else _HANDLING_SECONDS
        self._desk.rest(self._dice, low, high)
        fails = self._book.spoils and not self._book.mended and event["payload"]["spoiled"]
        if is_manual and (fails or self._dice.random() < _FAILS):
            self._book.end(token, "its handler gave it back")
            self._ask("nack", [token], delay_seconds=self._dice.randrange(3))
            return None
        self._book.done.add(event["event_id"])
        return token

    def _die(self, tokens: list[str]) -> None:
        for token in tokens:
            self._book.end(token, "its process died")
        self._lives += 1
        self._desk.rest(self._dice, 1, 5)

    def _acknowledge(self, tokens: list[str]) -> None:
        if not tokens:
            return
        told = self._ask("ack", tokens)
        for token in tokens if not told else ():
            self._book.end(token, "its ack was not answered")
        for token, each in zip(tokens, told, strict=False):
            if each["status"] == "acknowledged":
                self._book.acknowledged(token)
            else:
                self._book.end(token, {"expired": _OVER, "failed": "its ack failed"}[each["status"]])

    def _ask(self, what: str, tokens: list[str], **more: int) -> list[dict[str, Any]]:
        request = self._book.request(f"POST {ONE}/{what}", {"ack": tokens} | more)
        sent = self._desk.ask(request, f"{self._name} {what}", tries=3)
        return list(sent.body["results"]) if sent.succeeded else []


def registered(desk: Desk, book: Book) -> float:
    """Register a consumer, and return when that was answered."""
    sent = desk.ask(book.registration(), f"{book.name} registers", tries=PATIENCE)
    assert sent.succeeded, "a registration was never answered"
    return passing.waited()
