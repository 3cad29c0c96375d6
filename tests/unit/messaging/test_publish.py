"""From the tables' streams to the bus: every event at least once, in order, within AWS's limits."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import shop
from tests.world import World
from tillflow.messaging.envelope import Cause, Event
from tillflow.messaging.outbox import NotPublished, publish
from tillflow.messaging.packing import pack
from tillflow.runtime import aws, backoff
from tillflow.values import clock

CAUSE = Cause("user-1", (), "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11")


def record(*events: Event) -> dict[str, Any]:
    image = {"pk": {"S": "P"}, "outbox": {"B": base64.b64encode(pack(list(events), CAUSE)).decode()}}
    return {"eventName": "INSERT", "dynamodb": {"NewImage": image, "ApproximateCreationDateTime": 1770726896.0}}


def numbered(count: int, **data: Any) -> list[Event]:
    return [Event("tillflow.orders", f"Event{n}", {"n": n, **data}) for n in range(count)]


class Bus:
    """Answers PutEvents: takes everything, or refuses the entries that *refuse* says, call by call."""

    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.refuse: list[set[int]] = []
        self.code = "ThrottlingException"

    def answer(self, params: dict[str, Any], **_: Any) -> None:
        self.calls.append(params["Entries"])

    def spoil(self, parsed: dict[str, Any], **_: Any) -> None:
        refused = self.refuse.pop(0) if self.refuse else set()
        parsed["FailedEntryCount"] = len(refused)
        for position in refused:
            parsed["Entries"][position] = {"ErrorCode": self.code, "ErrorMessage": "no"}

    @property
    def types(self) -> list[list[str]]:
        return [[entry["DetailType"] for entry in call] for call in self.calls]


@pytest.fixture
def bus(world: World) -> Iterator[Bus]:
    del world
    watching, hooks = Bus(), aws.client("events").meta.events
    hooks.register("provide-client-params.events.PutEvents", watching.answer)
    hooks.register("after-call.events.PutEvents", watching.spoil)
    yield watching
    hooks.unregister("provide-client-params.events.PutEvents", watching.answer)
    hooks.unregister("after-call.events.PutEvents", watching.spoil)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr(clock, "sleep", taken.append)
    return taken


def test_an_event_goes_on_the_bus_as_the_architecture_says(bus: Bus) -> None:
    (envelope,) = publish([record(Event("tillflow.stock", "InventoryReserved", {"a": 1}))])

    ((entry,),) = bus.calls
    assert json.loads(entry["Detail"]) == envelope
    assert envelope["trace_id"] == "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11"
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("EventBus", "tillflow.stock", "InventoryReserved")
    assert json.loads(entry["Detail"])["data"] == {"a": 1}


def test_a_record_without_events_publishes_nothing(bus: Bus) -> None:
    removed = {"eventName": "REMOVE", "dynamodb": {"Keys": {"pk": {"S": "P"}}}}
    plain = {"eventName": "MODIFY", "dynamodb": {"NewImage": {"pk": {"S": "P"}}}}

    assert publish([removed, plain]) == []
    assert bus.calls == []


def test_events_keep_their_order_over_records_and_calls(bus: Bus) -> None:
    events = numbered(25)

    publish([record(*events[:12]), record(*events[12:])])

    assert [kind for call in bus.types for kind in call] == [event.type for event in events]


def test_a_call_has_at_most_ten_entries(bus: Bus) -> None:
    publish([record(*numbered(25))])

    assert [len(call) for call in bus.calls] == [10, 10, 5]


def test_a_call_has_at_most_256_kilobytes(bus: Bus) -> None:
    publish([record(*numbered(7, text="é" * 40_000))])

    assert [len(call) for call in bus.calls] == [3, 3, 1]
    for call in bus.calls:
        assert sum(len((entry["Detail"] + entry["DetailType"] + entry["Source"]).encode()) for entry in call) <= 256 * 1024


def test_only_what_failed_is_sent_again(bus: Bus, pauses: list[float]) -> None:
    bus.refuse = [{1, 3}, {0}]

    publish([record(*numbered(4))])

    assert bus.types == [["Event0", "Event1", "Event2", "Event3"], ["Event1", "Event3"], ["Event1"]]
    assert len(pauses) == 2


def test_what_is_left_after_the_retries_is_raised_so_that_the_batch_comes_again(bus: Bus) -> None:
    bus.refuse = [{0}] * 99

    with pytest.raises(NotPublished, match="1 events"):
        publish([record(*numbered(2))])

    assert len(bus.calls) == backoff.MOST


def test_an_order_s_events_are_published_from_its_stream(world: World, bus: Bus) -> None:
    order_id = shop.order(world)

    world.invoke("outbox/publish_events", {"Records": [each | _created(each) for each in world.stream()]})

    assert bus.types == [["OrderCreated", "orders.order_placed.v1"]]
    assert json.loads(bus.calls[0][0]["Detail"])["data"]["order_id"] == order_id


def _created(record: dict[str, Any]) -> dict[str, Any]:
    return {"dynamodb": record["dynamodb"] | {"ApproximateCreationDateTime": 1770726896.0}}


# --- what can never be published ------------------------------------------------------------------------------------

LETTERS = "PublishDeadLetters"


@pytest.fixture
def dead_letters(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:
    monkeypatch.setenv("PUBLISH_DEAD_LETTERS_URL", LETTERS)
    return lambda: world.messages(LETTERS)


def junk(outbox: object, number: int = 1) -> dict[str, Any]:
    change = {"Keys": {"pk": {"S": f"JUNK#{number}"}}, "NewImage": {"outbox": outbox}, "SequenceNumber": "7"}
    return {"eventName": "INSERT", "eventID": "e", "eventSourceARN": "arn:table/stream", "dynamodb": change}


def test_an_unreadable_record_steps_aside_and_what_is_behind_it_is_published(bus: Bus, dead_letters: Callable[[], Any]) -> None:
    bad = junk({"B": base64.b64encode(b"junk").decode()})

    envelopes = publish([record(*numbered(1)), bad, record(Event("tillflow.orders", "Behind", {}))])

    assert bus.types == [["Event0", "Behind"]]
    assert [envelope["event_type"] for envelope in envelopes] == ["Event0", "Behind"]
    (letter,) = dead_letters()
    assert letter == {
        "reason": "The outbox cannot be read: error.",
        "stream": "arn:table/stream",
        "event_id": "e",
        "sequence_number": "7",
        "key": {"pk": {"S": "JUNK#1"}},
        "outbox": "anVuaw==",
    }


@pytest.mark.parametrize("outbox", [{"S": "text"}, {"B": "not base64!"}, {"B": ""}, {"N": "1"}], ids=str)
def test_an_outbox_that_is_not_bytes_steps_aside(bus: Bus, dead_letters: Callable[[], Any], outbox: object) -> None:
    assert publish([junk(outbox)]) == []

    assert bus.calls == []
    assert len(dead_letters()) == 1


def test_a_dead_letter_fits_a_queue(bus: Bus, dead_letters: Callable[[], Any]) -> None:
    publish([junk({"B": base64.b64encode(b"x" * 300_000).decode()})])

    (letter,) = dead_letters()
    assert letter["outbox"] == "400,000 characters: read the stream or the item"
    assert bus.calls == []


def test_a_dead_letter_that_cannot_be_sent_brings_the_batch_again(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could be published is, all the same."""
    monkeypatch.setenv("PUBLISH_DEAD_LETTERS_URL", "NoSuchQueue")

    with pytest.raises(ClientError):
        publish([junk({"B": "anVuaw=="}), record(*numbered(1))])

    assert bus.types == [["Event0"]]


def test_what_the_bus_will_never_take_steps_aside(bus: Bus, dead_letters: Callable[[], Any]) -> None:
    bus.refuse, bus.code = [{1}], "MalformedDetail"

    envelopes = publish([record(*numbered(3))])

    assert bus.types == [["Event0", "Event1", "Event2"]]
    assert [envelope["event_type"] for envelope in envelopes] == ["Event0", "Event2"]
    (letter,) = dead_letters()
    assert letter["reason"] == "The bus refuses Event1: MalformedDetail."


@pytest.mark.parametrize("character", ["\ufffe", "\uffff"])
def test_a_letter_has_no_character_that_sqs_refuses(dead_letters: Callable[[], Any], character: str) -> None:
    bad = junk({"S": "junk"})
    bad["dynamodb"]["Keys"]["pk"]["S"] = character

    publish([bad])

    (letter,) = dead_letters()
    assert letter["key"]["pk"]["S"] == character


@pytest.mark.parametrize("code", ["InvalidArgument", "MalformedDetail", "RedactionFailure"])
def test_what_the_bus_calls_wrong_for_good_waits_for_nothing(bus: Bus, dead_letters: Callable[[], Any], code: str) -> None:
    bus.refuse, bus.code = [{0}], code

    publish([record(*numbered(2))])

    assert len(bus.calls) == 1
    assert code in dead_letters()[0]["reason"]
