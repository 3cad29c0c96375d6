"""The harness itself: it does what DynamoDB does, and sees what it is there to see."""

from collections.abc import Callable

import pytest

from tests.faults.trials import Trials
from tests.faults.wire import Fault
from tests.faults.world import World
from tillflow.contexts.payments.gateway import ChargeRequest
from tillflow.contexts.payments.service import Bill
from tillflow.contexts.stock import tables
from tillflow.runtime import aws
from tillflow.values import ids


def test_a_transaction_that_comes_again_under_its_token_is_done_once(empty: object, world: World) -> None:
    world.restore(empty)
    key = {"pk": {"S": "VARIANT#v"}, "sk": {"S": "LEVEL#w"}}
    add = {"UpdateExpression": "ADD available :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    for _ in range(2):
        aws.client("dynamodb").transact_write_items(
            TransactItems=[{"Update": {"TableName": tables.stock(), "Key": key, **add}}],  # type: ignore[typeddict-item]
            ClientRequestToken="token",
        )
    assert [item["available"] for item in world.items("StockTable") if item["pk"] == "VARIANT#v"] == [1]


def test_a_charge_under_a_key_of_its_own_for_each_attempt_would_be_seen(
    trials: Callable[[str], Trials], monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(bill: Bill) -> ChargeRequest:
        return ChargeRequest(ids.new(), bill.order_id, bill.amount, bill.currency, "")

    order = trials("order one line")
    number = next(number for number, call in enumerate(order.calls) if call.operation == "gateway.charge")
    monkeypatch.setattr(Bill, "request", careless)
    with pytest.raises(AssertionError, match="charged twice"):
        order.break_one(number, Fault.CRASH)
