"""The sandbox gateway keeps the port's promises on a DynamoDB table (moto)."""

import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend

from tillflow.contexts.payments.gateway import (
    CardDeclined,
    Charge,
    ChargeCanceled,
    ChargeRequest,
    GatewayUnavailable,
    KeyReused,
)
from tillflow.contexts.payments.retrying import Retrying
from tillflow.contexts.payments.sandbox import SandboxGateway, charge_pk
from tillflow.storage.attributes import from_item
from tillflow.values import clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "charges"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
keys = (f"order-{n}:1" for n in itertools.count())


@pytest.fixture(scope="module")
def client() -> "Iterator[DynamoDBClient]":
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture(scope="module")
def gateway(client: "DynamoDBClient") -> SandboxGateway:
    return SandboxGateway(client, TABLE, lambda: NOW)


@pytest.fixture
def requests(client: "DynamoDBClient") -> Iterator[list[str]]:
    """The names of the requests that go to DynamoDB during a test."""
    seen: list[str] = []

    def note(model: Any, **_: Any) -> None:
        seen.append(model.name)

    client.meta.events.register("before-call.dynamodb.*", note)
    yield seen
    client.meta.events.unregister("before-call.dynamodb.*", note)


def request(token: str = "tok_success", amount: int = 1250) -> ChargeRequest:
    """Return a request under a key that no other test uses."""
    key = next(keys)
    return ChargeRequest(key=key, order_id=key.removesuffix(":1"), amount=amount, currency="EUR", payment_token=token)


def stored(client: "DynamoDBClient", request: ChargeRequest) -> dict[str, Any] | None:
    item = client.get_item(TableName=TABLE, Key={"pk": {"S": charge_pk(request.key)}}, ConsistentRead=True).get("Item")
    return from_item(item) if item else None


# --- charge -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["tok_success", ""])
def test_a_good_card_is_charged(gateway: SandboxGateway, client: "DynamoDBClient", token: str) -> None:
    asked = request(token)

    charge = gateway.charge(asked)

    assert (charge.amount, charge.currency) == (1250, "EUR")
    assert charge.reference.startswith("ch_")
    assert stored(client, asked) == {
        "pk": charge_pk(asked.key),
        "status": "charged",
        "reference": charge.reference,
        "amount": 1250,
        "currency": "EUR",
        "order_id": asked.order_id,
        "created_at": "2026-03-01T12:00:00.000Z",
    }


def test_a_charge_and_its_replay_are_one_write_request_each_and_no_read(gateway: SandboxGateway, requests: list[str]) -> None:
    asked = request()

    gateway.charge(asked)
    assert requests == ["PutItem"]

    gateway.charge(asked)
    assert requests == ["PutItem", "PutItem"]


def test_a_charge_costs_one_write_unit(gateway: SandboxGateway, client: "DynamoDBClient") -> None:
    # GIVEN the longest ids an order has
    asked = replace(request(), key="k" * 240, order_id="o" * 64, amount=99_999_999)

    # WHEN it is charged
    gateway.charge(asked)

    # THEN the item is within the 1 KB that one write unit pays for
    item = stored(client, asked)
    assert item is not None
    assert sum(len(name) + len(str(value)) for name, value in item.items()) < 1024


def test_the_same_key_again_is_the_same_charge(gateway: SandboxGateway) -> None:
    asked = request()

    assert gateway.charge(asked) == gateway.charge(asked)


def test_different_keys_are_different_charges(gateway: SandboxGateway) -> None:
    assert gateway.charge(request()).reference != gateway.charge(request()).reference


def test_racing_charges_with_one_key_charge_once(client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> None:
    # moto holds a condition and then writes, and lets other threads come between; DynamoDB does not.
    lock, put = threading.Lock(), DynamoDBBackend.put_item

    def one_at_a_time(*arguments: Any, **named: Any) -> Any:
        with lock:
            return put(*arguments, **named)

    monkeypatch.setattr(DynamoDBBackend, "put_item", one_at_a_time)

    # GIVEN a step that runs eight times at the same moment
    asked, start, effective = request(), threading.Barrier(8), []
    gateway = SandboxGateway(client, TABLE, lambda: NOW)

    def note(http_response: Any, **_: Any) -> None:
        effective.extend([1] if http_response.status_code == HTTPStatus.OK else [])

    def charge(_: int) -> Charge:
        start.wait()
        return gateway.charge(asked)

    # WHEN all of them charge
    client.meta.events.register("after-call.dynamodb.PutItem", note)
    with ThreadPoolExecutor(8) as pool:
        charges = set(pool.map(charge, range(8)))
    client.meta.events.unregister("after-call.dynamodb.PutItem", note)

    # THEN one write took effect, and all of them speak of its charge
    assert len(effective) == 1
    assert len(charges) == 1


def test_a_charge_that_comes_between_our_decision_and_our_write_wins(client: "DynamoDBClient") -> None:
    # GIVEN another attempt that writes while this one takes its time
    asked = request()
    other = SandboxGateway(client, TABLE, lambda: NOW)

    def late_clock() -> datetime:
        other.charge(asked)
        return datetime(2030, 1, 1, tzinfo=UTC)

    # WHEN this one writes
    charge = SandboxGateway(client, TABLE, late_clock).charge(asked)

    # THEN it finds the other's charge and changes nothing
    assert charge == other.charge(asked)
    item = stored(client, asked)
    assert item is not None
    assert item["created_at"] == "2026-03-01T12:00:00.000Z"


@pytest.mark.parametrize(
    "change",
    [{"amount": 1251}, {"currency": "USD"}, {"order_id": "another-order"}],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("token", ["tok_success", "tok_declined"])
def test_a_key_never_serves_another_charge(gateway: SandboxGateway, token: str, change: dict[str, Any]) -> None:
    asked = request(token)
    try:
        gateway.charge(asked)
    except CardDeclined:
        assert token == "tok_declined"

    with pytest.raises(KeyReused):
        gateway.charge(replace(asked, **change))


# --- tokens -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_unheard_of", "invalid_payment_token"),
        ("pm_card_visa", "invalid_payment_token"),
        ("\x00", "invalid_payment_token"),
        ("💳" * 5000, "invalid_payment_token"),
    ],
)
def test_a_refused_token_declines_and_stays_declined(
    gateway: SandboxGateway, client: "DynamoDBClient", token: str, reason: str
) -> None:
    asked = request(token)

    for _ in range(2):
        with pytest.raises(CardDeclined) as refused:
            gateway.charge(asked)
        assert refused.value.reason == reason

    item = stored(client, asked)
    assert item is not None
    assert (item["status"], item["reason"]) == ("declined", reason)
    assert "reference" not in item


def test_a_timeout_after_the_charge_is_unknown_once_and_never_a_second_charge(
    gateway: SandboxGateway, client: "DynamoDBClient"
) -> None:
    asked = request("tok_timeout_after_charge")

    # WHEN the first call times out
    with pytest.raises(GatewayUnavailable):
        gateway.charge(asked)

    # THEN the card was charged, and the retry finds that charge
    item = stored(client, asked)
    assert item is not None
    assert item["status"] == "charged"
    assert gateway.charge(asked).reference == item["reference"]
    assert stored(client, asked) == item


def test_retries_see_a_timeout_after_the_charge_through(gateway: SandboxGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(clock, "sleep", pauses.append)
    retrying = Retrying(gateway)

    assert retrying.charge(request("tok_timeout_after_charge")).amount == 1250
    assert len(pauses) == 1


def test_the_unavailable_token_never_charges_and_can_be_canceled(gateway: SandboxGateway, client: "DynamoDBClient") -> None:
    asked = request("tok_unavailable")

    for _ in range(3):
        with pytest.raises(GatewayUnavailable):
            gateway.charge(asked)
    assert stored(client, asked) is None
    assert gateway.cancel(asked) is None


@pytest.mark.parametrize(("amount", "reason"), [(0, "amount_too_small"), (-5, "amount_too_small"), (10**60, "amount_too_large")])
def test_an_amount_no_card_can_pay_is_declined(gateway: SandboxGateway, amount: int, reason: str) -> None:
    with pytest.raises(CardDeclined) as refused:
        gateway.charge(request(amount=amount))
    assert refused.value.reason == reason


def test_money_cannot_be_a_float(gateway: SandboxGateway) -> None:
    with pytest.raises(TypeError, match="float"):
        gateway.charge(request(amount=12.5))  # type: ignore[arg-type]


def test_the_token_is_neither_stored_nor_shown(gateway: SandboxGateway, client: "DynamoDBClient") -> None:
    asked = request("tok_very_secret")

    with pytest.raises(CardDeclined) as refused:
        gateway.charge(asked)

    assert "very_secret" not in f"{stored(client, asked)} {asked!r} {refused.value}"


# --- cancel -----------------------------------------------------------------------------------------------------


def test_canceling_a_charge_returns_it_and_closes_the_key(gateway: SandboxGateway, client: "DynamoDBClient") -> None:
    asked = request()
    charge = gateway.charge(asked)

    assert gateway.cancel(asked) == charge

    item = stored(client, asked)
    assert item is not None
    assert (item["status"], item["reference"]) == ("canceled", charge.reference)
    with pytest.raises(ChargeCanceled):
        gateway.charge(asked)


def test_canceling_twice_says_the_same_and_changes_nothing(client: "DynamoDBClient") -> None:
    # GIVEN a charge canceled at noon
    asked = request()
    SandboxGateway(client, TABLE, lambda: NOW).charge(asked)
    first = SandboxGateway(client, TABLE, lambda: NOW).cancel(asked)
    after = stored(client, asked)

    # WHEN it is canceled again in the evening
    second = SandboxGateway(client, TABLE, lambda: NOW.replace(hour=20)).cancel(asked, first.reference if first else None)

    # THEN nothing is new
    assert second == first
    assert stored(client, asked) == after


def test_a_late_charge_finds_the_key_closed(gateway: SandboxGateway) -> None:
    # GIVEN a cancel that came before the charge it undoes
    asked = request()
    assert gateway.cancel(asked) is None

    # WHEN the charge arrives, whatever its amount
    # THEN it is refused
    for late in (asked, replace(asked, amount=1)):
        with pytest.raises(ChargeCanceled):
            gateway.charge(late)
    assert gateway.cancel(asked) is None


def test_canceling_a_declined_payment_undoes_nothing_and_closes_the_key(gateway: SandboxGateway) -> None:
    asked = request("tok_declined")
    with pytest.raises(CardDeclined):
        gateway.charge(asked)

    assert gateway.cancel(asked) is None
    with pytest.raises(ChargeCanceled):
        gateway.charge(asked)


def test_a_cancel_is_one_write_request(gateway: SandboxGateway, requests: list[str]) -> None:
    gateway.cancel(request())

    assert requests == ["UpdateItem"]


def test_a_cancel_that_comes_between_a_charges_decision_and_its_write_wins(client: "DynamoDBClient") -> None:
    asked = request()

    def late_clock() -> datetime:
        SandboxGateway(client, TABLE, lambda: NOW).cancel(asked)
        return NOW

    with pytest.raises(ChargeCanceled):
        SandboxGateway(client, TABLE, late_clock).charge(asked)


# --- sequences ---------------------------------------------------------------------------------------------------

steps = st.lists(st.sampled_from(["charge", "cancel"]), min_size=1, max_size=8)
tokens = st.sampled_from(
    ["tok_success", "tok_declined", "tok_insufficient_funds", "tok_timeout_after_charge", "tok_unavailable", "tok_?"]
)


@settings(max_examples=60, deadline=None)
@given(steps=steps, token=tokens, amount=st.integers(1, 99_999_999))
def test_whatever_happens_in_whatever_order_at_most_one_charge_and_none_after_a_cancel(
    gateway: SandboxGateway, client: "DynamoDBClient", steps: list[str], token: str, amount: int
) -> None:
    asked, references, canceled = request(token, amount), set(), False

    for step in steps:
        if step == "cancel":
            undone = gateway.cancel(asked)
            canceled = True
            references |= {undone.reference} if undone else set()
        else:
            try:
                references.add(gateway.charge(asked).reference)
                assert not canceled
            except (CardDeclined, ChargeCanceled, GatewayUnavailable):
                pass
        item = stored(client, asked)
        if canceled:
            assert item is not None
            assert item["status"] == "canceled"  # the net is zero

    assert len(references) <= 1
    assert bool(item and "reference" in item) == (token in ("tok_success", "tok_timeout_after_charge") and steps[0] == "charge")


# --- DynamoDB fails ------------------------------------------------------------------------------------------------


class Failing:
    """A DynamoDB client whose writes raise *error*, after they took effect where *client* is given."""

    def __init__(self, error: Exception, client: Any = None) -> None:
        self._error = error
        self._client = client

    def put_item(self, **arguments: Any) -> Any:
        if self._client:
            self._client.put_item(**arguments)
        raise self._error

    def update_item(self, **arguments: Any) -> Any:
        if self._client:
            self._client.update_item(**arguments)
        raise self._error


def client_error(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutItem")


TRANSIENT = [
    client_error("ProvisionedThroughputExceededException", 400),
    client_error("ThrottlingException", 400),
    client_error("RequestLimitExceeded", 400),
    client_error("InternalServerError", 500),
    client_error("SomethingNew", 503),
    ConnectTimeoutError(endpoint_url="https://dynamodb"),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=str)
def test_a_table_that_fails_for_the_moment_makes_the_gateway_unavailable(error: Exception) -> None:
    gateway = SandboxGateway(Failing(error), TABLE)  # type: ignore[arg-type]

    with pytest.raises(GatewayUnavailable):
        gateway.charge(request())
    with pytest.raises(GatewayUnavailable):
        gateway.cancel(request())


def test_a_fault_of_ours_is_not_called_unavailable() -> None:
    gateway = SandboxGateway(Failing(client_error("AccessDeniedException", 400)), TABLE)  # type: ignore[arg-type]

    with pytest.raises(ClientError, match="AccessDenied"):
        gateway.charge(request())


def test_an_answer_of_the_table_that_was_lost_is_found_again(gateway: SandboxGateway, client: "DynamoDBClient") -> None:
    # GIVEN a write that took effect and whose answer was lost
    asked = request()
    lossy = SandboxGateway(Failing(ConnectTimeoutError(endpoint_url="https://dynamodb"), client), TABLE, lambda: NOW)  # type: ignore[arg-type]
    with pytest.raises(GatewayUnavailable):
        lossy.charge(asked)
    after = stored(client, asked)

    # WHEN the step is retried
    charge = gateway.charge(asked)

    # THEN it is the charge that was made then
    assert after is not None
    assert charge.reference == after["reference"]
    assert stored(client, asked) == after


# --- imports -------------------------------------------------------------------------------------------------------


def test_the_sandbox_never_imports_the_stripe_sdk() -> None:
    """The SDK is in a layer of its own, which only PaymentGateway=stripe attaches."""
    program = (
        "import sys, tillflow.contexts.payments.sandbox, tillflow.contexts.payments.retrying; sys.exit('stripe' in sys.modules)"
    )

    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
