"""What somebody may do in a simulated day, written down before it begins: a play makes it of what is known then."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from tests.faults import passing
from tests.faults.invariants import Stored
from tests.world import http_event
from tillflow.storage.idempotency import LIFETIME_SECONDS
from tillflow.values import ids

CSV = "text/csv"
# Clocks differ by less than this, and what is under way has ended.
MARGIN_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Request:
    """
    An HTTP request of *user*, who has *role*.

    *session* is the id of their login's, *told* what else the authorizer tells of them. A file is a body that has it
    under `CSV`. *codes* are the error codes that may be its answer (the key's own apart), *succeeds* whether a 2xx may.
    """

    route: str
    user: str
    role: str
    body: Mapping[str, Any] | None = None
    path: Mapping[str, str] | None = None
    query: Mapping[str, str] | None = None
    key: str | None = None
    codes: frozenset[str] = frozenset()
    succeeds: bool = True
    session: str | None = None
    told: Mapping[str, str] | None = None

    def event(self, label: str) -> dict[str, Any]:
        """Return API Gateway's event of this request, of which *label* is the id."""
        headers = {"X-Request-Id": label, "X-Trace-Id": ids.derived("trace", label)}
        headers |= {"Idempotency-Key": self.key} if self.key else {}
        body = dict(self.body or {}).get(CSV, self.body)
        headers |= {"Content-Type": CSV} if body is not self.body else {}
        parts: dict[str, Any] = {
            "body": body,
            "path": self.path,
            "query": self.query,
            "session_id": self.session,
            "told": self.told,
        }
        return http_event(self.route, user=self.user, roles=[self.role], headers=headers, **parts)

    def __str__(self) -> str:
        """Tell it in a line."""
        path = "/".join((self.path or {}).values())
        key = f", key {self.key!r}" if self.key else ""
        return f"{self.user} ({self.role}): {self.route} {path}{key}"


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event that somebody else puts on the bus."""

    source: str
    kind: str
    envelope: Mapping[str, Any]

    def __str__(self) -> str:
        """Tell it in a line."""
        return f"{self.source} announces {self.kind} {self.envelope['data']}"


type What = Request | Announcement | None


@dataclass(frozen=True, slots=True)
class Action:
    """
    Something that happens at the second *at* of the day: the number-th.

    A client sends up to *tries* times until it is answered; an impatient one sends the same *twice*, so many seconds apart.
    """

    number: int
    at: float
    what: Request | Announcement
    tries: int = 1
    twice: float | None = None


@dataclass(slots=True)
class Scene:
    """What a play makes a request of: *dice* of its own, its *number* and time, and the actions that were written *before* it."""

    dice: random.Random
    number: int
    at: float
    before: list[Action] = field(default_factory=list)

    @property
    def moment(self) -> datetime:
        """The time of the action."""
        return passing.START + timedelta(seconds=self.at)

    def earlier(self, route: str) -> list[Request]:
        """Return the latest requests of a route, newest last."""
        found = [action.what for action in self.before if isinstance(action.what, Request) and action.what.route == route]
        return found[-12:]


type Asks = Callable[[Scene], What]


@dataclass(slots=True)
class Sent:
    """A request as it was sent: *since* when, *until* when its answer came (status None: none did)."""

    number: int
    request: Request
    since: float
    until: float = float("inf")
    status: int | None = None
    body: Any = None
    replayed: bool = False

    def hear(self, answer: Mapping[str, Any] | None) -> None:
        """Take down what a function answered, now."""
        self.until = passing.waited()
        if answer is not None:
            self.status, self.body = answer["statusCode"], answer["body"]
            self.replayed = "x-idempotent-replay" in answer["headers"]
            if answer["headers"]["Content-Type"] == "application/json":
                self.body = json.loads(self.body or "{}")

    def __str__(self) -> str:
        """Tell the answer in a few words."""
        code = self.body.get("error_code", "") if isinstance(self.body, dict) else ""
        return f"{self.status or 'nothing'} {code}{'again' if self.replayed else ''}".strip()

    @property
    def succeeded(self) -> bool:
        """Tell whether it was answered 2xx."""
        return self.status is not None and self.status < 300

    @property
    def refused(self) -> bool:
        """Tell whether it was answered 4xx."""
        return self.status is not None and 400 <= self.status < 500


def lives(attempts: list[Sent]) -> int:
    """Return how often a key may have had an effect: once while it lives, and its life begins with its effect."""
    end, times = -1.0, 0
    for sent in sorted(attempts, key=lambda sent: sent.until):
        if sent.until > end:
            end, times = sent.since + LIFETIME_SECONDS - MARGIN_SECONDS, times + 1
    return times


class Evening(Stored, Protocol):
    """What a promise is held against when everything is quiet: what is stored and was published, and what was said."""

    history: list[Sent]
    answers: list[tuple[str, Any]]

    def sent(self, route: str) -> list[Sent]:
        """Return every request of *route* that was sent."""

    def queued(self, consumer_id: str) -> set[str]:
        """Return the ids of the events in a consumer's queue."""

    def run(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a *function* now, and return its answer."""

    def ask(self, request: Request) -> Sent:
        """Send *request* now, when everything is quiet, and return it with its answer."""


@dataclass(frozen=True, slots=True)
class Play:
    """
    A command's part in a simulated day: what somebody *asks*, how *often* compared with others.

    *holds* asserts, when everything is quiet, that the answers were true and that what is stored was asked for.
    """

    asks: Asks
    often: int = 2
    holds: Callable[[Evening], None] = lambda _: None
