"""Whatever the network and the server do to a batch, each event is accepted once, or told of, or given back."""

import itertools
import json

import pytest

from tillflow_client import Accepted, NewEvent, Rejected, Result, Retry, Unsent, sending
from tillflow_client.wire import Answer, Pause, Reply, Request, Silence, encoded

# What may happen to one request, and what it says of an event that it reaches.
WAYS = ["fine", "lost before", "lost after", "503", "one failed", "refused whole"]
KEYS = ["key-0", "key-1", "key-2"]


class Server:
    """Knows which keys it has; the event with number 1 can never be accepted where one is *poisonous*."""

    def __init__(self, poisonous: bool) -> None:  # noqa: FBT001 - a test's own
        self.keys: list[str] = []
        self.poison = "key-1" if poisonous else None

    def answer(self, request: Request, way: str) -> Reply:
        events = json.loads(request.body or b"")["events"]
        if way == "lost before":
            return Silence("lost")
        if way == "503":
            return Answer(503, {}, b"{}")
        if way == "refused whole":
            return Answer(413, {}, encoded({"error_code": "PAYLOAD_TOO_LARGE"})) if len(events) > 1 else Answer(503, {}, b"{}")
        results = [self._result(each["idempotency_key"], failing=way == "one failed" and not n) for n, each in enumerate(events)]
        return Silence("lost") if way == "lost after" else Answer(202, {}, encoded({"results": results}))

    def _result(self, key: str, *, failing: bool) -> dict[str, object]:
        if failing:
            return {"status": "FAILED", "error_code": "UNAVAILABLE", "message": "Later."}
        if key == self.poison:
            return {"status": "REJECTED", "error_code": "VALIDATION_FAILED", "message": "Never."}
        replayed = key in self.keys
        if not replayed:
            self.keys.append(key)
        return {"status": "ACCEPTED", "event_id": key, "received_at": "2026-01-01T00:00:00.000Z", "replayed": replayed}


def delivered(server: Server, ways: tuple[str, ...], retry: Retry) -> tuple[list[Result], list[NewEvent]]:
    """Return what was told of three events, and which were given back, when requests go these *ways* and then well."""
    results: list[Result] = []
    coming = itertools.chain(ways, itertools.repeat("fine"))
    flow = sending.deliver([NewEvent("t", {}, key=f"key-{number}") for number in range(3)], retry, results.append)
    effect = next(flow)
    try:
        while True:
            effect = flow.send(None if isinstance(effect, Pause) else server.answer(effect, next(coming)))
    except StopIteration:
        return results, []
    except Unsent as error:
        return results, error.events


@pytest.mark.parametrize("poisonous", [False, True])
def test_every_event_ends_in_one_way(poisonous: bool) -> None:  # noqa: FBT001
    for ways in itertools.product(WAYS, repeat=4):
        server = Server(poisonous)

        results, given_back = delivered(server, ways, Retry())

        accepted = [result.event.key for result in results if isinstance(result, Accepted)]
        rejected = [result.event.key for result in results if isinstance(result, Rejected)]
        assert sorted(accepted + rejected) == KEYS, ways
        assert rejected == ["key-1"] * poisonous, ways
        assert sorted(server.keys) == sorted(accepted), ways
        assert given_back == [], ways


def test_out_of_time_what_was_not_told_of_is_given_back() -> None:
    for ways in itertools.product(WAYS, repeat=4):
        results, given_back = delivered(Server(poisonous=True), ways, Retry(total=0))

        assert sorted([each.event.key for each in results] + [event.key for event in given_back]) == KEYS, ways
