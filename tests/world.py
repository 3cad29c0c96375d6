"""
A small AWS for tests: the tables, secrets, bus and state machine of template.yaml, and its functions to call (backends.py).

    from tests.world import World, world        # in a conftest.py: makes the fixture `world` known to its folder

    def test_an_order_is_created_once(world: World) -> None:
        answer = world.call("POST /api/orders", body={…}, headers={"Idempotency-Key": "k"})
        assert answer.status == 201
        assert [event["event_type"] for event in world.events()] == ["OrderCreated", "orders.order_placed.v1"]

Everything is as the template says: a function sees its own environment variables and no others, a route leads to the
function that has it. Physical names are the logical ids. Each test gets a world of its own: the stack is created once,
and every world begins as a copy of it, within 2 ms. Outside pytest (hypothesis' state machines), use
`with running() as world:`.
"""

import base64
import importlib.util
import json
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import batched
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests import backends, template
from tillflow.contexts.eventflow import door, pages, queuemaking, schemas, subscribers
from tillflow.contexts.eventflow.eventlog import Event, of_item
from tillflow.contexts.identity import jwks, keyring
from tillflow.contexts.identity.tables import jwks_key
from tillflow.contexts.payments import gateways
from tillflow.contexts.stock import homes, movements, shards
from tillflow.messaging.packing import unpack
from tillflow.runtime import aws, deadline, secrets
from tillflow.storage import readiness
from tillflow.storage.attributes import from_item, to_item
from tillflow.values import clock

REGION = "us-east-1"
# The secret that the sample events in events/ are signed with (events/README.md).
CART_SNAPSHOT_SECRET = "demo-cart-snapshot-secret"
SERVICE_TOKEN = "demo-service-token"
# The keys of tokens: made long ago, so they sign whatever is issued.
ACCESS_KEY, REFRESH_KEY = (keyring.key_of(ec.derive_private_key(number, keyring.CURVE()), 0) for number in (1001, 1002))
SECRETS = {
    "AccessKeySecret": keyring.written((ACCESS_KEY,)),
    "CartSnapshotSecret": CART_SNAPSHOT_SECRET,
    "RefreshKeySecret": keyring.written((REFRESH_KEY,)),
    "ServiceTokenSecret": SERVICE_TOKEN,
    "TokenSigningSecret": "demo-token-signing-secret",
}
# The item with their public halves.
JWKS = to_item(jwks_key() | {jwks.ACCESS: [ACCESS_KEY.jwk], jwks.REFRESH: [REFRESH_KEY.jwk]})
_OUTBOX = "outbox"

type Handler = Callable[[dict[str, Any], "Context"], Any]


@dataclass
class Context:
    """Lambda's context object, as far as Tillflow and Powertools look at it."""

    milliseconds: int = 25_000
    function_name: str = "function"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:123456789012:function:function"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class World:
    """Clients and names; *environments* are the functions' variables by function name, *environment* what all of them see."""

    secret_arns: dict[str, str]
    environments: dict[str, dict[str, str]]
    environment: dict[str, str]
    database: backends.Tables = field(init=False)

    @property
    def tables(self) -> list[str]:
        """The names of the tables."""
        return list(self.database.dynamodb.tables)

    def call(
        self,
        route: str,
        *,
        user: str = "user-1",
        roles: Iterable[str] | None = ("buyer",),
        body: object = None,
        **parts: Any,
    ) -> Answer:
        """
        Send a request through API Gateway's event to the function that serves *route*.

        *body*: text goes as it is, anything else as JSON. *roles* None: the authorizer let nobody through.
        *parts*: headers, path, query and the network's address by name.
        """
        name = next(function.name for function in template.functions().values() if route in function.routes)
        return self.answer(name, http_event(route, user=user, roles=roles, body=body, **parts))

    def answer(self, name: str, event: dict[str, Any]) -> Answer:
        """Invoke an HTTP function with a whole *event*."""
        answer = self.invoke(name, event)
        return Answer(answer["statusCode"], answer["headers"], answer["body"])

    def invoke(self, name: str, event: dict[str, Any], context: Context | None = None) -> Any:
        """Invoke a function by name, e.g. `orders/create_order`, in its own environment."""
        with patch.dict(os.environ, self.environments[name]):
            return handler(name)(event, context or Context(milliseconds=template.functions()[name].timeout * 1000))

    def step(self, name: str, order_id: str) -> Any:
        """Run one step of the order saga, e.g. `reserve_stock`."""
        return self.invoke(f"order_saga/{name}", {"order_id": order_id})

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return everything in a table (logical id), in the order of its keys."""
        found = aws.client("dynamodb").scan(TableName=table)["Items"]
        return sorted(map(from_item, found), key=lambda item: (item["pk"], item.get("sk", "")))

    def kept_events(self) -> list[Event]:
        """Return the events that are stored, in the order of their ids."""
        return [of_item(item) for item in self.items("EventsTable") if item["sk"] == "EVENT"]

    def put(self, table: str, item: Mapping[str, Any]) -> None:
        """Put an item as DynamoDB has it, to arrange what no command arranges."""
        aws.client("dynamodb").put_item(TableName=table, Item=item)

    def stream(self) -> list[dict[str, Any]]:
        """Return every record of the tables' streams, shaped as Lambda gets it, table by table."""
        return self.database.records

    def watch_levels(self) -> None:
        """Let the levels that have a reorder point be looked at: every change of them since the beginning."""
        records = [record for record in self.stream() if "reorder_point" in record["dynamodb"].get("NewImage", {})]
        self.invoke("stock/follow_ledger", {"Records": records})

    def project(self) -> None:
        """Let the ledger's stream, from its beginning, be projected into the list of movements."""
        wanted = ({"S": "posted"}, {"S": "shifted"})
        moved = [each for each in self.stream() if each["dynamodb"].get("NewImage", {}).get("status") in wanted]
        for some in batched(moved, 100, strict=False):
            self.invoke("stock/follow_ledger", {"Records": list(some)})

    def restore(self, table: str, items: Iterable[Mapping[str, Any]]) -> None:
        """Put items back as they were."""
        for item in items:
            self.put(table, to_item(item))

    def messages(self, queue: str) -> list[Any]:
        """Return what is in a queue (logical id), as JSON says it."""
        received = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in received.get("Messages", [])]

    @contextmanager
    def bus(self) -> Iterator[list[dict[str, Any]]]:
        """Let the list that this yields fill with the entries that are put on the bus meanwhile."""
        entries: list[dict[str, Any]] = []

        def note(params: dict[str, Any], **_: Any) -> None:
            entries.extend(params["Entries"])

        hooks = aws.client("events").meta.events
        hooks.register("provide-client-params.events.PutEvents", note)
        try:
            yield entries
        finally:
            hooks.unregister("provide-client-params.events.PutEvents", note)

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the envelope of every event that was committed (of one *kind*), table by table in order."""
        images = (record["dynamodb"].get("NewImage", {}) for record in self.stream())
        packed = (base64.b64decode(image[_OUTBOX]["B"]) for image in images if _OUTBOX in image)
        envelopes = (json.loads(event.detail) for outbox in packed for event in unpack(outbox))
        return [envelope for envelope in envelopes if kind in (None, envelope["event_type"])]


@pytest.fixture
def world() -> Iterator[World]:
    """A world of the test's own."""
    with running() as fresh:
        yield fresh


@contextmanager
def running() -> Iterator[World]:
    """Yield a new, empty world; everything of it is gone afterwards."""
    # Nothing of the machine's own AWS configuration may reach a client.
    machine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    test = {"AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    with patch.dict(os.environ, machine | test, clear=True), backends.quick_aws():
        fresh, held = pickle.loads(_stack())  # noqa: S301 - what this process pickled
        backends.put_back(held)
        fresh.database = backends.Tables()
        fresh.database.dynamodb.do("PutItem", {"TableName": "IdentityTable", "Item": JWKS})
        os.environ.update(fresh.environment)  # what tests call without a function around it sees that too
        _forget()
        # A queue of moto's can be used as soon as it is made.
        with patch.object(queuemaking, "NEW_SECONDS", 0), fresh.database.serve(aws.client("dynamodb").meta.events):
            yield fresh
    _forget()


@cache
def _stack() -> bytes:
    """Create the stack, and return its `World` and the backends that hold it, pickled."""
    secret_arns = _create_secrets()
    resolved = secret_arns | {name: _create_state_machine(name) for name in template.resources("AWS::Serverless::StateMachine")}
    resolved |= {name: aws.client("kms").create_key()["KeyMetadata"]["Arn"] for name in template.resources("AWS::KMS::Key")}
    aws.client("events").create_event_bus(Name="EventBus")
    for queue in template.resources(template.QUEUE):
        aws.client("sqs").create_queue(QueueName=queue)

    def environment(variables: Mapping[str, object]) -> dict[str, str]:
        return {name: _resolve(value, resolved) for name, value in variables.items()}

    environments = {name: environment(function.environment) for name, function in template.functions().items()}
    of_all = environment(template.environment_of_all())
    return pickle.dumps((World(secret_arns, environments, of_all), backends.held()))


def _forget() -> None:
    """Drop what a warm Lambda process keeps. Clients stay: they cost the most and know nothing of a world."""
    secrets.forget()
    jwks.forget()
    gateways.forget()
    homes.forget()
    movements.forget()
    readiness.forget()
    shards.forget()
    door.forget()
    pages.forget()
    subscribers.forget()
    schemas.forget()
    deadline.start(Context(milliseconds=86_400_000))


def _create_secrets() -> dict[str, str]:
    client = aws.client("secretsmanager")
    return {
        name: client.create_secret(Name=name, SecretString=SECRETS.get(name, name))["ARN"]
        for name in template.resources(template.SECRET)
    }


def _create_state_machine(name: str) -> str:
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    role = "arn:aws:iam::123456789012:role/saga"
    client = aws.client("stepfunctions")
    return client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)["stateMachineArn"]


def _resolve(value: object, resolved: Mapping[str, str]) -> str:
    """Return what CloudFormation makes of a variable's *value*."""
    if not isinstance(value, dict):
        return str(value)
    (named,) = value.values()
    if "Fn::Sub" in value:
        return template.filled_in(named)
    name = named if isinstance(named, str) else named[0]
    if name in template.template()["Parameters"]:
        return template.default_of(name)
    if named == [name, "Arn"] and name in template.resources(template.QUEUE):
        return f"arn:aws:sqs:{REGION}:123456789012:{name}"
    return resolved.get(name, name.removeprefix("AWS::"))


@cache
def handler(name: str) -> Handler:
    """Load a function's file as Lambda does, by its path, and return its handler."""
    path = template.ROOT / "functions" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loaded: Handler = module.handler
    return loaded


def http_event(
    route: str,
    *,
    user: str = "user-1",
    roles: Iterable[str] | None = ("buyer",),
    body: object = None,
    headers: Mapping[str, str] | None = None,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    address: str = "203.0.113.7",
    session_id: str | None = None,
    told: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """
    Return API Gateway's proxy event of a request (see `World.call`); whoever calls has just logged in.

    *told*: what else the authorizer tells of them.
    """
    method, _, resource = route.partition(" ")
    authorizer = None
    if roles is not None:
        authorizer = {"principalId": user, "userId": user, "roles": ",".join(roles)}
        authorizer |= {"authenticatedAt": str(clock.epoch(clock.now()))} | ({"sessionId": session_id} if session_id else {})
        authorizer |= told or {}
    return {
        "resource": resource,
        "path": resource,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "queryStringParameters": query,
        "pathParameters": path,
        "requestContext": {
            "requestId": str(uuid4()),
            "identity": {"sourceIp": address},
            "requestTimeEpoch": clock.milliseconds(clock.now()),
            "authorizer": authorizer,
        },
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }
