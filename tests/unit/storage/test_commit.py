"""The one write path: everything or nothing, once, whatever becomes of the answer."""

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from tests.world import Context, World
from tillflow.errors import Conflict, Unavailable
from tillflow.messaging.envelope import Cause, Event
from tillflow.messaging.packing import EventTooLarge, unpack
from tillflow.runtime import aws, backoff, deadline
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, always, when
from tillflow.values import clock, jsontext

TABLE = "OrdersTable"
KEY = {"pk": "P", "sk": "S"}
OTHER = {"pk": "P", "sk": "T"}
CAUSE = Cause("user-1", ("buyer",), "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11")
EVENT = Event("tillflow.orders", "Tested", {"n": 1})


class Taken(Conflict):
    """The condition did not hold."""

    def __init__(self, item: Item | None = None) -> None:
        super().__init__()
        self.item = item


class OtherTaken(Taken):
    """The other condition did not hold."""


def fault(code: str, status: int = 400, **response: Any) -> ClientError:
    body: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}, **response}
    return ClientError(body, "Operation")


class Wire:
    """Between the commit and DynamoDB: notes requests, and does to the next ones what *plan* says."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.plan: list[Callable[[], None]] = []
        self.lost: list[Exception] = []

    def note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.sent.append((model.name, params))
        if self.plan:
            self.plan.pop(0)()

    def answer(self, **_: Any) -> None:
        if self.lost:
            raise self.lost.pop(0)

    def fail(self, *errors: Exception) -> None:
        """Let the next requests fail before anything is done."""

        def raising(error: Exception) -> Callable[[], None]:
            def throw() -> None:
                raise error

            return throw

        self.plan += map(raising, errors)

    @property
    def operations(self) -> list[str]:
        return [name for name, _ in self.sent]


@pytest.fixture
def wire(world: World) -> Iterator[Wire]:
    del world
    watching, hooks = Wire(), aws.client("dynamodb").meta.events
    for operation in ("PutItem", "UpdateItem", "TransactWriteItems"):
        hooks.register(f"provide-client-params.dynamodb.{operation}", watching.note)
        hooks.register(f"after-call.dynamodb.{operation}", watching.answer)
    yield watching
    for operation in ("PutItem", "UpdateItem", "TransactWriteItems"):
        hooks.unregister(f"provide-client-params.dynamodb.{operation}", watching.note)
        hooks.unregister(f"after-call.dynamodb.{operation}", watching.answer)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are taken; none really is."""
    taken: list[float] = []
    monkeypatch.setattr(clock, "sleep", taken.append)
    return taken


def one(**attributes: Any) -> Commit:
    wanted = Commit(CAUSE)
    wanted.put(TABLE, KEY | attributes, when=absent(), otherwise=Taken)
    return wanted


def two(**attributes: Any) -> Commit:
    wanted = one(**attributes)
    wanted.put(TABLE, OTHER | attributes, when=absent(), otherwise=OtherTaken)
    return wanted


def stored(world: World) -> dict[str, Item]:
    return {item["sk"]: item for item in world.items(TABLE)}


# --- what is sent -------------------------------------------------------------------------------------------------


def test_one_item_is_one_conditional_put(world: World, wire: Wire) -> None:
    one(status="new").write()

    assert wire.operations == ["PutItem"]
    assert stored(world)["S"]["status"] == "new"


def test_one_change_is_one_conditional_update(world: World, wire: Wire) -> None:
    one(status="new", count=1, spare="x").write()

    change = Commit(CAUSE)
    change.update(
        TABLE,
        KEY,
        change={"status": "old"},
        add={"count": 2},
        remove=("spare",),
        when=when("#status = :new", new="new"),
        otherwise=Taken,
    )
    change.write()

    assert wire.operations == ["PutItem", "UpdateItem"]
    item = stored(world)["S"]
    assert (item["status"], item["count"]) == ("old", 3)
    assert "spare" not in item


def test_several_items_are_one_transaction(world: World, wire: Wire) -> None:
    two().write()

    assert wire.operations == ["TransactWriteItems"]
    assert set(stored(world)) == {"S", "T"}


def test_a_transaction_carries_no_token_on_its_items(world: World) -> None:
    """DynamoDB remembers a transaction's own token; an attribute would be bytes to pay for."""
    two().write()

    assert all("commit_token" not in item for item in stored(world).values())


def test_what_is_put_first_stands_first(wire: Wire) -> None:
    wanted = one()
    wanted.first("IdempotencyTable", {"pk": "K"}, when=absent(), otherwise=OtherTaken)
    wanted.write()

    ((_, request),) = wire.sent
    assert [action["Put"]["TableName"] for action in request["TransactItems"]] == ["IdempotencyTable", TABLE]


# --- conditions ---------------------------------------------------------------------------------------------------


def test_a_condition_that_fails_is_the_error_that_it_means(world: World) -> None:
    one(status="first").write()

    with pytest.raises(Taken) as refused:
        one(status="second").write()

    assert refused.value.item is not None
    assert refused.value.item["status"] == "first"
    assert stored(world)["S"]["status"] == "first"


@pytest.mark.usefixtures("world")
def test_an_update_of_nothing_fails_with_no_item() -> None:
    change = Commit(CAUSE)
    change.update("StockTable", KEY, change={"a": 1}, when=when("#a = :b", b=1), otherwise=Taken)

    with pytest.raises(Taken) as refused:
        change.write()

    assert refused.value.item is None


@pytest.mark.parametrize(("there", "told"), [("S", Taken), ("T", OtherTaken)])
def test_a_transaction_tells_which_condition_failed_and_writes_nothing(world: World, there: str, told: type[Exception]) -> None:
    found = Commit(CAUSE)
    found.put(TABLE, {"pk": "P", "sk": there, "status": "found"}, when=absent(), otherwise=Taken)
    found.write()

    with pytest.raises(Taken) as refused:
        two(status="new").write()

    assert type(refused.value) is told
    assert refused.value.item is not None
    assert refused.value.item["status"] == "found"
    assert set(stored(world)) == {there}


@pytest.mark.usefixtures("world")
def test_of_two_conditions_that_fail_the_first_is_told() -> None:
    two().write()

    with pytest.raises(Taken) as refused:
        two().write()

    assert type(refused.value) is Taken


# --- the outbox ---------------------------------------------------------------------------------------------------


def test_events_ride_on_the_only_item(world: World) -> None:
    wanted = one()
    wanted.emit(EVENT)
    wanted.write()

    ((source, kind, detail, _),) = unpack(stored(world)["S"]["outbox"])
    assert (source, kind) == ("tillflow.orders", "Tested")
    assert jsontext.loads(detail)["data"] == {"n": 1}
    assert jsontext.loads(detail)["trace_id"] == "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11"


def test_events_ride_on_the_first_item_of_a_transaction(world: World) -> None:
    wanted = two()
    wanted.emit(EVENT, EVENT)
    wanted.write()

    items = stored(world)
    assert len(unpack(items["S"]["outbox"])) == 2
    assert "outbox" not in items["T"]


def test_events_ride_on_an_updated_item_too(world: World) -> None:
    one().write()

    change = Commit(CAUSE)
    change.update(TABLE, KEY, change={"a": 1}, when=always(), otherwise=Taken)
    change.emit(EVENT)
    change.write()

    assert len(unpack(stored(world)["S"]["outbox"])) == 1


def test_a_write_that_emits_nothing_takes_spent_events_off(world: World) -> None:
    """Else the stream would tell them again."""
    wanted = one()
    wanted.emit(EVENT)
    wanted.write()

    change = Commit(CAUSE)
    change.update(TABLE, KEY, change={"a": 1}, when=always(), otherwise=Taken)
    change.write()

    assert "outbox" not in stored(world)["S"]


def test_a_transaction_takes_spent_events_off_every_item_but_the_one_that_carries_new_ones(world: World) -> None:
    for key in (KEY, OTHER):
        first = Commit(CAUSE)
        first.put(TABLE, key, when=absent(), otherwise=Taken)
        first.emit(EVENT)
        first.write()

    both = Commit(CAUSE)
    for key in (KEY, OTHER):
        both.update(TABLE, key, change={"a": 1}, when=always(), otherwise=Taken)
    both.emit(Event("tillflow.orders", "Second", {}))
    both.write()

    assert [event.type for event in unpack(stored(world)["S"]["outbox"])] == ["Second"]
    assert "outbox" not in stored(world)["T"]


def test_what_is_not_written_emits_nothing(world: World) -> None:
    one().write()
    again = one()
    again.emit(EVENT)

    with pytest.raises(Taken):
        again.write()

    assert world.events() == []


def test_an_event_that_would_not_fit_the_bus_is_refused_and_nothing_is_written(world: World) -> None:
    """The stream would carry it for ever, and everything behind it."""
    wanted = one()
    wanted.emit(EVENT, Event("tillflow.orders", "Tested", {"text": "x" * 240_000}))

    with pytest.raises(EventTooLarge, match="Tested"):
        wanted.write()

    assert stored(world) == {}


def test_packed_events_are_small(world: World) -> None:
    """A write unit is a kilobyte: two events of one order must not cost another."""
    wanted = one()
    wanted.emit(*[Event("tillflow.orders", "Tested", {"user_id": "user-1", "reason": "x" * 100})] * 2)
    wanted.write()

    outbox = stored(world)["S"]["outbox"]
    assert len(outbox) < len(zlib.decompress(outbox)) / 2


# --- answers that are lost, conflicts, throttles -------------------------------------------------------------------

LOST = [
    ReadTimeoutError(endpoint_url="https://dynamodb"),
    ConnectTimeoutError(endpoint_url="https://dynamodb"),
    fault("InternalServerError", 500),
    fault("SomethingNew", 503),
]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_a_put_whose_answer_was_lost_is_known_by_its_token(world: World, wire: Wire, error: Exception) -> None:
    # GIVEN a put that takes effect while its answer is lost
    wire.lost.append(error)

    # WHEN it is written
    one(status="new").write()

    # THEN it was sent again, its condition failed on its own item, and that is success
    assert wire.operations == ["PutItem", "PutItem"]
    assert stored(world)["S"]["status"] == "new"


def test_an_update_whose_answer_was_lost_is_known_by_its_token(world: World, wire: Wire) -> None:
    one(status="new").write()
    wire.lost.append(LOST[0])

    change = Commit(CAUSE)
    change.update(TABLE, KEY, change={"status": "old"}, when=when("#status = :new", new="new"), otherwise=Taken)
    change.write()

    assert stored(world)["S"]["status"] == "old"


def test_somebody_else_s_item_is_not_taken_for_ours(world: World, wire: Wire) -> None:
    # GIVEN a put whose request never arrived, and another that did meanwhile
    wire.fail(LOST[1])
    wire.plan.append(lambda: one(status="theirs").write())

    # WHEN it is sent again
    with pytest.raises(Taken):
        one(status="ours").write()

    # THEN the other's item stands
    assert stored(world)["S"]["status"] == "theirs"


def test_a_transaction_is_sent_again_under_the_same_token_and_unchanged(wire: Wire) -> None:
    wire.fail(LOST[0], fault("ThrottlingException"), fault("TransactionInProgressException"))

    two().write()

    requests = [request for _, request in wire.sent]
    assert len(requests) == 4
    assert len({request["ClientRequestToken"] for request in requests}) == 1
    assert all(request == requests[0] for request in requests)


def test_different_commits_have_different_tokens(wire: Wire) -> None:
    two().write()
    with pytest.raises(Taken):
        two().write()

    assert len({request["ClientRequestToken"] for _, request in wire.sent}) == 2


def canceled(*codes: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "canceled"},
        "CancellationReasons": [{"Code": code} for code in codes],
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return aws.client("dynamodb").exceptions.TransactionCanceledException(response, "TransactWriteItems")


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_ran_into_another_is_sent_again(world: World, wire: Wire, code: str) -> None:
    wire.fail(canceled("None", code))

    two().write()

    assert set(stored(world)) == {"S", "T"}


def test_a_condition_beside_a_conflict_is_the_answer(wire: Wire) -> None:
    """Sending it again could only fail the same way."""
    wire.fail(canceled("TransactionConflict", "ConditionalCheckFailed"))

    with pytest.raises(OtherTaken):
        two().write()

    assert len(wire.sent) == 1


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"])
def test_a_request_that_dynamodb_refuses_is_not_sent_again(wire: Wire, code: str) -> None:
    wire.fail(fault(code))

    with pytest.raises(ClientError, match=code):
        one().write()

    assert len(wire.sent) == 1


def test_retries_end(wire: Wire) -> None:
    wire.fail(*[fault("ThrottlingException")] * 99)

    with pytest.raises(Unavailable):
        one().write()

    assert len(wire.sent) == backoff.MOST


def test_no_retry_begins_that_could_not_be_answered_for(wire: Wire) -> None:
    """Where the next attempt's longest does not fit, an honest 503 is worth more."""
    deadline.start(Context(milliseconds=aws.LONGEST_CALL_SECONDS * 1000 - 1))
    wire.fail(fault("ThrottlingException"))

    with pytest.raises(Unavailable):
        one().write()

    assert len(wire.sent) == 1


def test_a_float_is_never_stored(world: World) -> None:
    with pytest.raises(TypeError, match="float"):
        one(price=19.9).write()

    assert stored(world) == {}
