"""
Least privilege: the emulator enforces the functions' roles (AUTH=true), so every test that passes proves that a function
may do what it must. These prove that it may do nothing else.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.integration.behind import Behind
from tillflow.contexts.orders import tables
from tillflow.storage.attributes import to_item

type Statement = dict[str, Any]

FUNCTION = "AWS::Lambda::Function"


@pytest.fixture(scope="module")
def roles(behind: Behind) -> dict[str, str]:
    """The name of each function's role, by the function's logical id."""
    functions = [each.logical_id for each in behind.resources if each.kind == FUNCTION]
    return {logical_id: behind.physical_id(f"{logical_id}Role") for logical_id in functions}


@pytest.fixture(scope="module")
def statements(behind: Behind, roles: dict[str, str]) -> dict[str, list[Statement]]:
    """The statements of each function's own policies, by the function's logical id."""
    iam = behind.client("iam")

    def of(role: str) -> list[Statement]:
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        return [statement for document in documents for statement in listed(document["Statement"])]

    return {name: of(role) for name, role in roles.items()}


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def is_of_consumers(resource: object) -> bool:
    """Tell whether a statement is about the queues of consumers: they come and go, and their names begin alike."""
    return isinstance(resource, str) and resource.startswith("arn:aws:sqs:") and resource.endswith("_consumer_*")


def test_no_function_may_do_everything_to_anything(statements: dict[str, list[Statement]]) -> None:
    for statement in (statement for each in statements.values() for statement in each):
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        if listed(statement["Action"]) in (["sqs:ListQueues"], ["cloudwatch:GetMetricStatistics"]):
            continue  # IAM knows no resource of it
        assert not [each for each in listed(statement["Resource"]) if "*" in json.dumps(each) and not is_of_consumers(each)]


def test_nobody_deletes_or_scans(statements: dict[str, list[Statement]]) -> None:
    kept = [
        statement
        for each in statements.values()
        for statement in each
        if not all(map(is_of_consumers, listed(statement["Resource"])))
    ]
    actions = [action for statement in kept for action in listed(statement["Action"])]
    assert actions
    assert not [action for action in actions if "Delete" in action or "Scan" in action]


SIGN = {"LogInFunction", "RefreshSessionFunction", "VerifySecondFactorFunction"}


@pytest.mark.parametrize(
    ("secret", "readers"),
    [
        ("TokenSigningSecret", {"AuthorizeFunction", "IssueTokenFunction", "IntrospectTokenFunction"}),
        ("ServiceTokenSecret", {"AuthorizeFunction", "IntrospectTokenFunction"}),
        # Private keys: for who signs. Who verifies has the public ones.
        ("AccessKeySecret", {"RotateKeysFunction", *SIGN}),
        ("RefreshKeySecret", {"RotateKeysFunction", *SIGN}),
        ("CartSnapshotSecret", {"CreateOrderFunction"}),
    ],
)
def test_a_secret_is_for_those_who_need_it(
    behind: Behind, statements: dict[str, list[Statement]], secret: str, readers: set[str]
) -> None:
    arn = behind.aws.secretsmanager.describe_secret(SecretId=behind.physical_id(secret))["ARN"]
    assert {name for name, each in statements.items() if any(arn in listed(one["Resource"]) for one in each)} == readers


def test_a_role_is_held_to_its_policies(behind: Behind, roles: dict[str, str]) -> None:
    """GetOrder's role reads orders and may do nothing else: that roles are enforced at all is what other tests rely on."""
    dynamodb = as_role(behind, roles["GetOrderFunction"], "dynamodb")
    orders, stock = behind.stack.tables["OrdersTable"], behind.stack.tables["StockTable"]
    key = to_item(tables.order_key("none"))
    assert "Item" not in dynamodb.get_item(TableName=orders, Key=key)
    forbidden: dict[str, Callable[[], object]] = {
        "another table": partial(dynamodb.get_item, TableName=stock, Key=key),
        "write": partial(dynamodb.put_item, TableName=orders, Item=key),
        "scan": partial(dynamodb.scan, TableName=orders),
    }
    for call in forbidden.values():
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def as_role(behind: Behind, role: str, service: str) -> Any:
    """Return a client with a role's rights (the account's root may take every role on the emulator)."""
    arn = behind.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    taken = behind.client("sts").assume_role(RoleArn=arn, RoleSessionName="integration-test")["Credentials"]
    session = boto3.Session(
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
        region_name=behind.stack.region,
    )
    client: Any = session.client(service, endpoint_url=behind.stack.endpoint_url)  # type: ignore[call-overload]
    return client
