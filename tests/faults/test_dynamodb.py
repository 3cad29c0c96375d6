"""The harness's DynamoDB says and stores what moto's does."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.core.models import botocore_stubber

from tests.faults.dynamodb import DynamoDB, Refused
from tests.faults.secretstore import SecretStore
from tests.faults.wire import Wire

TABLE = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "marked",
            "KeySchema": [{"AttributeName": "mark", "KeyType": "HASH"}, {"AttributeName": "since", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        },
        {
            "IndexName": "keys",
            "KeySchema": [{"AttributeName": "mark", "KeyType": "HASH"}, {"AttributeName": "since", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
        {
            "IndexName": "some",
            "KeySchema": [{"AttributeName": "mark", "KeyType": "HASH"}, {"AttributeName": "since", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["n"]},
        },
    ],
}
_ATTRIBUTES: Any = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "mark", "since")]
type Request = tuple[str, dict[str, Any]]


def _text(*texts: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(texts).map(lambda text: {"S": text})


_KEYS = st.fixed_dictionaries({"pk": _text("a", "b"), "sk": _text("1", "2", "22")})
_NUMBERS = st.integers(-3, 12).map(lambda number: {"N": str(number)})
_OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "n": _NUMBERS,
        "bytes": st.binary(max_size=3).map(lambda raw: {"B": raw}),
        "mark": _text("x", "y"),
        "since": _text("1"),
    },
)
# What is asked of items, with every word of the language that the harness knows.
_CONDITIONS = [
    "attribute_not_exists(#pk)",
    "attribute_exists(n)",
    "#n >= :low",
    "#n < :high OR #n > :high",
    "(attribute_not_exists(n) OR n <= :low) AND attribute_exists(pk)",
    "mark IN (:x, :y)",
    "n BETWEEN :low AND :high",
    "mark = :x",
    "begins_with(sk, :two)",
]
_UPDATES = [
    "SET n = :high",
    "ADD n :low",
    "SET mark = :x, since = if_not_exists(since, :two) REMOVE n",
    "REMOVE mark, since ADD n :high",
]
_VALUES = {":low": {"N": "1"}, ":high": {"N": "5"}, ":x": {"S": "x"}, ":y": {"S": "y"}, ":two": {"S": "2"}}
_NAMES = {"#pk": "pk", "#n": "n"}


def _used(request: dict[str, Any]) -> dict[str, Any]:
    """Give a request the names and values that its expressions use: DynamoDB refuses others."""
    text = " ".join(value for name, value in request.items() if name.endswith("Expression"))
    names = {name: stands for name, stands in _NAMES.items() if name in text}
    values = {name: value for name, value in _VALUES.items() if name in text}
    return (
        request
        | ({"ExpressionAttributeNames": names} if names else {})
        | ({"ExpressionAttributeValues": values} if values else {})
    )


_MAYBE_CONDITION = st.sampled_from(["", *_CONDITIONS]).map(lambda text: {"ConditionExpression": text} if text else {})


def _write(part: str, what: st.SearchStrategy[dict[str, Any]], **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    fixed = {"TableName": "t", "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **more}
    return st.tuples(what, _MAYBE_CONDITION).map(lambda both: _used({part: both[0], **both[1], **fixed}))


_PUT = _write("Item", st.tuples(_KEYS, _OTHERS).map(lambda parts: parts[0] | parts[1]))
_DELETE = _write("Key", _KEYS)
_UPDATE = st.sampled_from(_UPDATES).flatmap(lambda text: _write("Key", _KEYS, UpdateExpression=text))
_ACTION = st.one_of(st.tuples(st.just("Put"), _PUT), st.tuples(st.just("Update"), _UPDATE), st.tuples(st.just("Delete"), _DELETE))
_TRANSACTION = st.lists(_ACTION, min_size=1, max_size=3)
_BATCH = st.lists(st.tuples(_KEYS, st.none() | _OTHERS), min_size=1, max_size=4, unique_by=lambda each: str(each[0])).map(
    lambda parts: [
        {"DeleteRequest": {"Key": key}} if others is None else {"PutRequest": {"Item": key | others}} for key, others in parts
    ]
)
_OLD = st.sampled_from([{}, {"ReturnValues": "ALL_OLD"}])
_REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.tuples(st.just("put_item"), st.tuples(_PUT, _OLD).map(lambda both: both[0] | both[1])),
    st.tuples(st.just("update_item"), st.tuples(_UPDATE, _OLD).map(lambda both: both[0] | both[1])),
    st.tuples(st.just("delete_item"), _DELETE),
    st.tuples(
        st.just("transact_write_items"),
        _TRANSACTION.map(lambda actions: {"TransactItems": [{kind: each} for kind, each in actions]}),
    ),
    st.tuples(st.just("batch_write_item"), _BATCH.map(lambda requests: {"RequestItems": {"t": requests}})),
    st.tuples(st.just("get_item"), _KEYS.map(lambda key: {"TableName": "t", "Key": key})),
    st.tuples(
        st.just("query"),
        st.fixed_dictionaries(
            {"KeyConditionExpression": st.just("pk = :p"), "ScanIndexForward": st.booleans(), "TableName": st.just("t")},
            optional={"Limit": st.integers(1, 3), "Select": st.just("COUNT")},
        ).map(lambda query: query | {"ExpressionAttributeValues": {":p": {"S": "a"}}}),
    ),
    st.tuples(
        st.just("query"),
        st.fixed_dictionaries(
            {
                "KeyConditionExpression": st.just("pk = :p AND sk BETWEEN :one AND :two"),
                "ExpressionAttributeValues": st.tuples(_text("1", "2"), _text("2", "22")).map(
                    lambda bounds: {":p": {"S": "a"}, ":one": bounds[0], ":two": bounds[1]}
                ),
                "ScanIndexForward": st.booleans(),
                "TableName": st.just("t"),
            },
            optional={"Limit": st.integers(1, 3), "ExclusiveStartKey": st.just({"pk": {"S": "a"}, "sk": {"S": "2"}})},
        ),
    ),
    st.sampled_from(["marked", "keys", "some"]).map(
        lambda index: (
            "query",
            {
                "TableName": "t",
                "IndexName": index,
                "KeyConditionExpression": "mark = :x AND #since BETWEEN :one AND :two",
                "ExpressionAttributeNames": {"#since": "since"},
                "ExpressionAttributeValues": {":x": {"S": "x"}, ":one": {"S": "1"}, ":two": {"S": "2"}},
            },
        )
    ),
    st.lists(_KEYS, min_size=1, max_size=3).map(lambda keys: ("batch_get_item", {"RequestItems": {"t": {"Keys": keys}}})),
    st.just(("scan", {"TableName": "t"})),
)


@pytest.fixture
def both() -> Iterator[tuple[Any, DynamoDB, Any]]:
    """A client of the harness's DynamoDB, that, and a client of moto's."""
    with mock_aws():
        ours = DynamoDB({"t": TABLE})
        session = botocore.session.get_session()
        session.unregister("before-send", botocore_stubber)  # type: ignore[arg-type]
        Wire(ours, SecretStore({})).attach(session)
        yield (
            session.create_client("dynamodb", region_name="us-east-1"),
            ours,
            botocore.session.get_session().create_client("dynamodb", region_name="us-east-1"),
        )


def _answer(client: Any, operation: str, request: dict[str, Any]) -> Any:
    """Return what an answer says, without what moto adds and AWS leaves out."""
    try:
        answer = getattr(client, operation)(**request)
    except ClientError as error:
        reasons = [(reason["Code"], reason.get("Item")) for reason in error.response.get("CancellationReasons", [])]
        return error.response["Error"]["Code"], error.response.get("Item"), reasons
    answer.pop("ResponseMetadata")
    answer.pop("ScannedCount", None)
    answer.pop("ConsumedCapacity", None)
    return {name: value for name, value in answer.items() if value not in ({}, [])}


# The same examples each time: what fails once must fail again.
@settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(requests=st.lists(_REQUESTS, max_size=25))
def test_whatever_is_asked_of_it_it_answers_as_moto(both: tuple[Any, DynamoDB, Any], requests: list[Request]) -> None:
    mine, ours, motos = both
    ours.restore(DynamoDB({"t": TABLE}).snapshot())
    motos.create_table(TableName="t", AttributeDefinitions=_ATTRIBUTES, BillingMode="PAY_PER_REQUEST", **TABLE)
    try:
        for operation, request in requests:
            assert _answer(mine, operation, request) == _answer(motos, operation, request), (operation, request)
    finally:
        motos.delete_table(TableName="t")


def test_it_refuses_what_dynamodb_does_and_moto_takes() -> None:
    values = {":p": {"S": "a"}, ":low": {"S": "2"}, ":high": {"S": "1"}}
    query = {"TableName": "t", "KeyConditionExpression": "pk = :p AND sk BETWEEN :low AND :high"}

    with pytest.raises(Refused, match="upper bound"):
        DynamoDB({"t": TABLE}).do("Query", query | {"ExpressionAttributeValues": values})


@pytest.mark.parametrize("text", ["attribute_exists(status)", "attribute_exists(#n)", "n = :low AND n = :high"])
def test_a_test_fails_whose_expressions_dynamodb_refuses(text: str) -> None:
    put = {"TableName": "t", "Item": {"pk": {"S": "a"}, "sk": {"S": "1"}}, "ConditionExpression": text}
    values = {":low": _VALUES[":low"]} if ":low" in text else {}

    with pytest.raises(pytest.fail.Exception):
        DynamoDB({"t": TABLE}).do("PutItem", put | {"ExpressionAttributeValues": values})
