"""DynamoDB's limits in simulated time, which `make bench-hot-sku` rests on."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests import template
from tests.faults import passing
from tests.faults.actor import Actor
from tests.faults.dynamodb import DynamoDB, Refused
from tests.simulation.limits import READ_UNITS, WRITE_UNITS, LimitedDynamoDB, Seconds
from tests.simulation.sale import Hall, hall
from tests.simulation.scheduler import Scheduler, dice

KEY = {"pk": {"S": "VARIANT#v"}, "sk": {"S": "LEVEL#w"}}
AT_ONCE = Seconds(read=(0, 0), write=(0, 0), transaction=(0, 0), travel=(0, 0))
BUSY = Seconds(read=(0, 0), write=(0, 0), transaction=(1, 1), travel=(0, 0))


def limited(seconds: Seconds, scheduler: Scheduler | None = None) -> LimitedDynamoDB:
    passing.go_to(0)
    stored = DynamoDB(template.resources(template.TABLE))
    sleep = scheduler.sleep if scheduler else lambda _: None
    return LimitedDynamoDB(stored, seconds, sleep, dice("limits"))


def update(**more: Any) -> dict[str, Any]:
    change = {"UpdateExpression": "ADD available :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    return {"TableName": "StockTable", "Key": KEY | more, **change}


def transaction() -> dict[str, Any]:
    return {"TransactItems": [{"Update": update()}]}


def test_a_partition_takes_so_much_a_second_and_another_one_takes_the_same() -> None:
    dynamodb = limited(AT_ONCE)
    for _ in range(WRITE_UNITS // 2):
        dynamodb.do("TransactWriteItems", transaction())

    with pytest.raises(Refused, match="TransactionCanceled") as canceled:
        dynamodb.do("TransactWriteItems", transaction())
    with pytest.raises(Refused, match="ProvisionedThroughputExceeded"):
        dynamodb.do("UpdateItem", update())
    dynamodb.do("UpdateItem", update(pk={"S": "VARIANT#v#1"}))
    passing.go_to(1)
    dynamodb.do("TransactWriteItems", transaction())

    assert [reason["Code"] for reason in canceled.value.body["CancellationReasons"]] == ["ThrottlingError"]


def test_reads_of_a_partition_have_a_limit_too_and_of_a_batch_the_rest_is_left() -> None:
    dynamodb = limited(AT_ONCE)
    other = KEY | {"pk": {"S": "VARIANT#v#1"}}
    for _ in range(READ_UNITS):
        dynamodb.do("GetItem", {"TableName": "StockTable", "Key": KEY})

    with pytest.raises(Refused):
        dynamodb.do("GetItem", {"TableName": "StockTable", "Key": KEY})
    answer = dynamodb.do("BatchGetItem", {"RequestItems": {"StockTable": {"Keys": [KEY, other]}}})

    assert answer["UnprocessedKeys"]["StockTable"]["Keys"] == [KEY]


@pytest.mark.parametrize("operation", ["TransactWriteItems", "UpdateItem", "GetItem"])
def test_who_writes_what_a_transaction_has_is_sent_away_and_who_reads_it_is_not(operation: str) -> None:
    scheduler = Scheduler()
    dynamodb = limited(BUSY, scheduler)
    told: list[str] = []

    def meets() -> None:
        scheduler.sleep(0.5)
        body = transaction() if operation == "TransactWriteItems" else update()
        try:
            dynamodb.do(operation, body)
        except Refused as refused:
            told.extend(reason["Code"] for reason in refused.body.get("CancellationReasons", [{"Code": refused.body["__type"]}]))

    scheduler.start(Actor(lambda: dynamodb.do("TransactWriteItems", transaction())))
    scheduler.start(Actor(meets))
    scheduler.run()

    expected = {"TransactWriteItems": ["TransactionConflict"], "UpdateItem": ["TransactionConflictException"], "GetItem": []}
    assert told == expected[operation]
    dynamodb.do("UpdateItem", update())


@pytest.fixture(scope="module")
def place() -> Iterator[Hall]:
    with hall() as opened:
        yield opened


def test_four_shards_sell_more_than_twice_what_one_does(place: Hall) -> None:
    one, four = (place.sale(shards=shards, units=10_000, buyers=16, until=2, calls=Seconds()) for shards in (1, 4))

    assert four.rate > 2 * one.rate
    assert one.refused == four.refused == 0


def test_the_same_sale_is_the_same_again(place: Hall) -> None:
    first, second = (place.sale(shards=2, units=10_000, buyers=4, until=1.5, calls=Seconds()) for _ in range(2))

    assert (first.took, first.write_units) == (second.took, second.write_units)


def test_nothing_is_sold_that_there_is_not(place: Hall) -> None:
    sold = place.sale(shards=4, units=0, buyers=4, until=1.5, calls=Seconds())

    assert (sold.confirmed, sold.refused > 50) == (0, True)
