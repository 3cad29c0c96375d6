"""Producers of a delivery run: each sends its events in order, alone or many at once, and again where no answer comes."""

from dataclasses import dataclass, field
from typing import Any

from tests.simulation.clients import PATIENCE, Desk
from tests.simulation.plays.eventflow import SEND, SEND_MANY
from tests.simulation.scene import Request, Sent
from tillflow.values import ids

# Near misses among them: `till.*` must not get `tiller.moved`, `parcel.sent` not `parcel.sent.back`.
TYPES = ("till.opened", "till.closed", "tiller.moved", "parcel.sent", "parcel.sent.back", "badge.read")
_MOST_AT_ONCE = 100
_MANY, _UNKEYED, _SPOILED = 0.03, 0.1, 0.004


@dataclass(slots=True)
class Told:
    """What producers were told of: the ids of accepted events, how many came in batches, and how many were known already."""

    accepted: set[str] = field(default_factory=set)
    in_batches: int = 0
    replayed: int = 0


class Sender:
    """The producer of this *number*, who sends so many *events* within some *seconds*."""

    def __init__(self, desk: Desk, told: Told, number: int, events: int, seconds: float) -> None:
        self._desk, self._told, self._number = desk, told, number
        self._dice = desk.fate.dice(f"producer {number}")
        self.producer_id = ids.derived("producer", str(number))
        self._request_told = {"scopes": "events:write", "producer_id": self.producer_id, "rate": "1000", "stamp": "0"}
        self._deeds = list(self._planned(events))
        self._pause = 2 * seconds / len(self._deeds)

    def _planned(self, events: int) -> list[range]:
        deeds: list[range] = []
        begun = 0
        while begun < events:
            many = self._dice.randrange(2, _MOST_AT_ONCE + 1) if self._dice.random() < _MANY else 1
            deeds.append(range(begun, min(begun + many, events)))
            begun = deeds[-1].stop
        return deeds

    def run(self) -> None:
        """Send them all."""
        for deed in self._deeds:
            self._desk.rest(self._dice, 0, self._pause)
            if len(deed) == 1:
                self._send(deed.start)
            else:
                self._send_many(deed)

    def _event(self, number: int) -> dict[str, Any]:
        payload = {"producer": self._number, "number": number, "spoiled": self._dice.random() < _SPOILED}
        return {"event_type": self._dice.choice(TYPES), "event_version": 1, "payload": payload}

    def _ask(self, route: str, number: int, body: dict[str, Any], key: str | None, tries: int) -> Sent:
        request = Request(route, self.producer_id, "", body, key=key, told=self._request_told)
        return self._desk.ask(request, f"producer {self._number} sends {number}", tries=tries)

    def _send(self, number: int) -> None:
        keyed = self._dice.random() >= _UNKEYED
        # Without a key nobody can tell whether it is the same again: it is sent once.
        sent = self._ask(SEND, number, self._event(number), f"e-{number}" if keyed else None, PATIENCE if keyed else 1)
        assert sent.succeeded or not keyed, "an event was never taken"
        if sent.succeeded:
            self._told.accepted.add(sent.body["event_id"])
            self._told.replayed += sent.replayed

    def _send_many(self, numbers: range) -> None:
        left = [self._event(number) | {"idempotency_key": f"e-{number}"} for number in numbers]
        while left:
            sent = self._ask(SEND_MANY, numbers.start, {"events": left}, None, PATIENCE)
            assert sent.succeeded, "a batch was never taken"
            results = sent.body["results"]
            accepted = [each for each in results if each["status"] == "ACCEPTED"]
            self._told.accepted |= {each["event_id"] for each in accepted}
            self._told.in_batches += len(accepted)
            self._told.replayed += sum(each.get("replayed", False) for each in accepted)
            assert "REJECTED" not in {each["status"] for each in results}, results
            left = [each for each, result in zip(left, results, strict=True) if result["status"] == "FAILED"]
