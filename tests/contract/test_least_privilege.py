"""Policies: each function may do what it does, on what it does it to, and nothing else."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from local.shop.samples import BEFORE, function_of, sample
from tests import accounts, consumers, producers, shop, template
from tests.consumers import Consumer
from tests.contract.test_samples import SAMPLES, run
from tests.people import OTHER_PASSWORD, first_administrator, member
from tests.world import SERVICE_TOKEN, World
from tillflow.contexts.eventflow import eventlog, launching, leases, queuedeleting, queuemaking, registry, schemas
from tillflow.contexts.identity import jwks, service, totp
from tillflow.contexts.identity.codes import Purpose
from tillflow.contexts.stock import homes, movements
from tillflow.contexts.stock.tables import is_level
from tillflow.errors import Unavailable
from tillflow.runtime import aws, secrets
from tillflow.storage import readiness
from tillflow.storage.attributes import to_item
from tillflow.values import clock, ids

# What a state machine needs to write logs, and to be traced; AWS gives these no resource.
LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
}
# Metrics have none either, nor has a list of queues.
METRICS, LISTING = {"cloudwatch:GetMetricStatistics"}, {"sqs:ListQueues"}
TRACING = {"xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
# What the deployer names: who sends mails, and where PaymentGateway is stripe.
GIVEN = {"SenderAddress", "StripeSecretArn", "StripeKmsKeyArn"}
# The queues of consumers are made as these come: their names begin alike.
QUEUES = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}_consumer_*"
STATEMENTS = [
    pytest.param(statement, id=f"{name} {statement['Action']}")
    for name, statements in [
        *((function.name, function.statements) for function in template.functions().values()),
        ("the saga", template.state_machine_statements()),
    ]
    for statement in statements
]


def target_of(resource: Any) -> str:
    """Return what a policy's resource names: a logical id, and an index behind `/`."""
    if resource == {"Fn::Sub": QUEUES}:
        return "consumers' queues"
    if resource == "*":
        return "the account"
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    if ":identity/" in str(resource.get("Fn::Sub", "")):
        return "SenderAddress"  # or its domain: SES asks for the one that it knows
    if "Fn::Sub" in resource:
        return str(resource["Fn::Sub"]).replace(".Arn}", "").replace("${", "").replace("/index", "")
    return str(resource["Ref"])


def granted(name: str) -> set[tuple[str, str]]:
    """Return every (action, target) that a function may do."""
    statements = template.functions()[name].statements
    return {
        (action, target_of(resource))
        for statement in statements
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_policy_names_each_action_and_each_resource(statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    assert not any("*" in action for action in statement["Action"])
    if set(statement["Action"]) not in (LOG_DELIVERY, METRICS, LISTING, TRACING):
        assert "*" not in json.dumps([each for each in statement["Resource"] if each != {"Fn::Sub": QUEUES}])


@pytest.mark.parametrize("name", template.functions())
def test_a_function_has_only_inline_policies(name: str) -> None:
    """No managed policy: they grant more than is needed, and AWS changes them. SAM adds one where Lambda polls for us."""
    properties = template.resources(template.FUNCTION)[template.functions()[name].logical_id]

    assert "Role" not in properties
    assert all(isinstance(policy, dict) and ("Statement" in policy or "Fn::If" in policy) for policy in properties["Policies"])


def test_no_managed_policy_is_given_to_every_function() -> None:
    assert "Policies" not in template.template()["Globals"]["Function"]


@pytest.mark.parametrize("name", template.functions())
def test_a_policy_speaks_of_what_the_stack_has(name: str) -> None:
    resources = template.template()["Resources"]

    for action, target in granted(name):
        logical_id, _, index = target.partition("/")
        assert logical_id in resources or logical_id in {*GIVEN, "consumers' queues", "the account"}, (action, target)
        if index:
            assert index in {each["IndexName"] for each in resources[logical_id]["Properties"]["GlobalSecondaryIndexes"]}


def test_no_other_stack_s_queues_begin_as_a_consumer_s() -> None:
    """A stack's name is [A-Za-z][A-Za-z0-9-]*, and its queues have it in front: not even one of `<ours>-consumer` fits."""
    prefix = template.template()["Globals"]["Function"]["Environment"]["Variables"]["CONSUMER_QUEUES"]["Fn::Sub"]

    assert QUEUES.endswith(f":{prefix}*")
    assert prefix.removeprefix("${AWS::StackName}").startswith("_")


def test_the_api_may_invoke_this_stack_s_functions_and_no_others() -> None:
    role = template.resources("AWS::IAM::Role")["ApiRole"]
    ((policy,), trusted) = role["Policies"], role["AssumeRolePolicyDocument"]["Statement"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    tags = template.template()["Globals"]["Function"]["Tags"]

    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Condition"] == {"StringEquals": {f"aws:ResourceTag/{name}": value for name, value in tags.items()}}
    assert tags == {"tillflow": {"Ref": "AWS::StackName"}}
    assert [each["Principal"] for each in trusted] == [{"Service": "apigateway.amazonaws.com"}]


def test_nobody_may_delete_anything() -> None:
    """But what was delivered from a consumer's queue, and that queue with its consumer."""
    allowed = {(action, "consumers' queues") for action in ("sqs:DeleteMessage", "sqs:DeleteQueue")}
    deleting = {each for name in template.functions() for each in granted(name) if "Delete" in each[0]}

    assert deleting <= allowed


# --- what functions do, against what they may ----------------------------------------------------------------------

_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "ConditionCheck": "ConditionCheckItem"}


# Of what there is one.
_OF_ONE = {
    "Decrypt": ("kms:Decrypt", "FactorKey"),
    "Encrypt": ("kms:Encrypt", "FactorKey"),
    "GetMetricStatistics": ("cloudwatch:GetMetricStatistics", "the account"),
    "ListQueues": ("sqs:ListQueues", "the account"),
    "SendEmail": ("ses:SendEmail", "SenderAddress"),
}
# Of queues, what a call is allowed by where that is not what it is called.
_OF_QUEUES = {
    "ChangeMessageVisibilityBatch": {"sqs:ChangeMessageVisibility"},
    "CreateQueue": {"sqs:CreateQueue", "sqs:TagQueue"},  # it has tags
    "DeleteMessageBatch": {"sqs:DeleteMessage"},
    "SendMessageBatch": {"sqs:SendMessage"},
}


def calls_of(operation: str, params: dict[str, Any], arns: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the (action, target) of each permission that one AWS call needs."""
    if operation == "TransactWriteItems":
        for action in params["TransactItems"]:
            ((kind, part),) = action.items()
            yield f"dynamodb:{_PARTS[kind]}", part["TableName"]
    elif operation in {"BatchGetItem", "BatchWriteItem"}:
        yield from ((f"dynamodb:{operation}", table) for table in params["RequestItems"])
    elif "TableName" in params:
        index = f"/{params['IndexName']}" if "IndexName" in params else ""
        yield f"dynamodb:{operation}", params["TableName"] + index
    elif operation == "PutEvents":
        yield from (("events:PutEvents", entry["EventBusName"]) for entry in params["Entries"])
    elif queue := params.get("QueueUrl") or params.get("QueueName"):
        target = "consumers' queues" if "_consumer_" in queue else queue
        yield from ((action, target) for action in _OF_QUEUES.get(operation, {f"sqs:{operation}"}))
    elif operation == "StartExecution":
        yield "states:StartExecution", params["stateMachineArn"].rpartition(":")[2]
    elif operation in _OF_ONE:
        yield _OF_ONE[operation]
    elif "SecretId" in params:
        yield f"secretsmanager:{operation}", next(name for name, arn in arns.items() if params["SecretId"] in (name, arn))
    else:
        raise AssertionError(f"a call that this test does not know: {operation}")


class Watched:
    """A world whose functions are watched: what each needed, by name."""

    def __init__(self, world: World) -> None:
        self.needed: dict[str, set[tuple[str, str]]] = {}
        self._now = ""
        self._arns = world.secret_arns
        invoke = world.invoke

        def watched(name: str, event: dict[str, Any], *rest: Any) -> Any:
            before, self._now = self._now, name
            # On AWS every function is a process of its own.
            secrets.forget()
            homes.forget()
            jwks.forget()
            movements.forget()
            schemas.forget()
            try:
                return invoke(name, event, *rest)
            finally:
                self._now = before

        world.invoke = watched  # type: ignore[assignment, method-assign]

    def note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if self._now:
            self.needed.setdefault(self._now, set()).update(calls_of(model.name, params, self._arns))


@pytest.fixture
def watched(world: World) -> Iterator[Watched]:
    for environment in world.environments.values():
        environment |= {"CART_SNAPSHOT_MAX_AGE_SECONDS": "9999999999", "ORDER_DEADLINE_SECONDS": "0"}
    watch = Watched(world)
    clients: list[Any] = [
        aws.client("cloudwatch"),
        aws.client("dynamodb"),
        aws.client("events"),
        aws.client("kms"),
        aws.client("secretsmanager"),
        aws.client("sesv2"),
        aws.client("sqs"),
        aws.client("stepfunctions"),
    ]
    for client in clients:
        client.meta.events.register("provide-client-params.*.*", watch.note)
    yield watch
    for client in clients:
        client.meta.events.unregister("provide-client-params.*.*", watch.note)


def assert_granted(watched: Watched) -> None:
    for name, needed in watched.needed.items():
        assert needed - granted(name) == set(), name


@pytest.mark.parametrize("name", SAMPLES)
def test_a_function_may_do_what_its_sample_makes_it_do(world: World, watched: Watched, name: str) -> None:
    run(world, name)

    assert {*map(function_of, BEFORE.get(name, ()))} <= {*watched.needed}
    assert_granted(watched)


def test_functions_may_do_what_every_ending_of_an_order_makes_them_do(world: World, watched: Watched) -> None:
    # GIVEN stock in two warehouses, so that reservations are transactions over both
    shop.stock(world, 2)
    shop.stock(world, 2, code="WH-2")
    undo = ("fail_order", "refund_payment", "release_stock")

    # WHEN one order is confirmed and then canceled
    confirmed = shop.order(world, shop.line(quantity=3))
    for step in ("reserve_stock", "charge_payment", "complete_order"):
        world.step(step, confirmed)
    world.call("POST /api/orders/{orderId}/cancel", roles=["operator"], path={"orderId": confirmed})
    for step in undo:
        world.step(step, confirmed)

    # AND one is declined, one is short of stock, one is undone before anything was done
    declined, early = shop.order(world, paymentToken="tok_declined"), shop.order(world)
    short = shop.order(world, shop.line(quantity=9))
    world.step("reserve_stock", declined)
    for step, order_id in [("charge_payment", declined), ("reserve_stock", short)]:
        with pytest.raises(Exception, match="order's"):
            world.step(step, order_id)
    for order_id in (declined, early):
        for step in undo:
            world.step(step, order_id)
    world.step("fail_order", short)

    # AND steps come late
    for step in ("reserve_stock", "charge_payment", "complete_order"):
        with pytest.raises(Exception, match="order"):
            world.step(step, early)

    # AND a charge comes after its undoing
    voided = shop.order(world)
    world.step("refund_payment", voided)
    with pytest.raises(Exception, match="voided"):
        world.step("charge_payment", voided)

    # AND another takes from several shards
    shop.variant(world, "SHARDED", shards=3)
    shop.stock(world, 4, "SHARDED")
    world.step("reserve_stock", shop.order(world, shop.line("SHARDED", quantity=3)))
    variant = {"id": shop.variant(world, "SHARDED")}
    assert world.call("PATCH /api/v1/variants/{id}", roles=["manager"], path=variant, body={"shards": 1}).status == 200

    # AND a key is replayed, refused and reused
    cart = shop.signed_cart()
    assert shop.place(world, cart, key="k").status == 201
    assert shop.place(world, cart, key="k").status == 200
    assert shop.place(world, shop.signed_cart(), key="k").status == 422
    assert shop.place(world, cart, key="other").status == 409
    for route, body in (("warehouses", {"code": "W", "name": "W"}), ("variants", {"sku": "V", "name": "V"})):
        for key, status in (("k", 201), ("k", 201), ("other", 409)):
            answer = world.call(f"POST /api/v1/{route}", roles=["manager"], body=body, headers={"Idempotency-Key": key})
            assert answer.status == status

    # AND the audit is asked
    world.call("GET /api/stocks/release-events", roles=["manager"], query={"orderId": declined})
    world.call("GET /api/stocks/release-events/export", roles=["manager"])
    world.call("GET /api/stocks/release-events", roles=["manager"])
    world.call("GET /api/stocks/release-events/export", roles=["manager"], query={"orderId": declined})
    world.call("GET /api/orders/{orderId}", path={"orderId": declined})
    world.call("GET /api/orders", query={"limit": "1"})
    world.call("GET /readyz")
    shop.levels(world)

    # AND masters are looked at and changed, sellers named and removed, stock is transferred
    keep_masters(world)
    # AND a file is imported
    _import_stock(world)

    # AND movements are projected, listed, fetched and exported, also by a seller
    _ask_for_movements(world)

    # AND keys are rotated
    rotate_keys(world)

    # AND all kinds of credentials come
    use_credentials(world)

    # AND the audit of stock finds a level that somebody has changed, and corrects it
    _audit(world)

    # AND somebody registers, is mailed, sets a second factor up, logs in with it and removes it
    _have_a_second_factor(world)

    # AND others live with their accounts, an administrator among them
    _live_with_accounts(world)

    # AND events come in from outside, and are delivered
    _send_events(world)

    # THEN every call was one that the template allows
    assert_granted(watched)


def use_credentials(world: World) -> None:
    user = accounts.add(world)
    made = world.call("POST /v1/service-tokens", roles=["admin"], body={"name": "a", "scopes": ["tokens:issue"]}).json
    texts = [user.access(), user.refresh(), service.issue_token(user.user_id, ("buyer",), 60), made["token"], SERVICE_TOKEN]
    for text in texts:
        assert world.call("POST /api/auth/introspect", roles=["admin"], body={"token": text}).json["active"]
    for headers in (
        {"Authorization": f"Bearer {texts[0]}"},
        {"Authorization": f"Bearer {texts[2]}"},
        {"X-Service-Token": texts[3]},
    ):
        world.invoke("identity/authorize", sample("identity/authorize") | {"headers": headers})
    assert len(world.call("GET /v1/service-tokens", roles=["admin"]).json["items"]) == 1
    path = {"id": made["id"]}
    assert world.call("DELETE /v1/service-tokens/{id}", roles=["admin"], path=path).status == 204


def _send_events(world: World) -> None:
    producer = producers.add(world)
    sent = producer.send("till.opened", {"till": 7}).json["event_id"]
    assert producer.send_all([{"event_type": "till.closed", "event_version": 1, "payload": {}}]).json["accepted"] == 1
    producer.deliver()
    for route in ("GET /api/v1/events/{id}", "DELETE /api/v1/events/{id}/payload"):
        assert world.call(route, roles=["admin"], path={"id": sent}).status in (200, 204)
    assert world.call("GET /api/v1/events", roles=["operator"], query={"producer_id": producer.producer_id}).json["total"] == 2
    introspected = world.call("POST /api/auth/introspect", roles=["admin"], body={"token": producer.key})
    assert introspected.json["active"]
    producer.disabled()
    path = {"id": producer.producer_id}
    assert world.call("POST /api/v1/producers/{id}/enable", roles=["admin"], path=path).json["status"] == "ACTIVE"
    assert world.call("PATCH /api/v1/producers/{id}", roles=["admin"], path=path, body={"rate": 5}).json["rate"] == 5
    readiness.forget()  # what another function's process knows
    assert world.call("GET /api/v1/health").json == {"status": "UP"}
    _consume_events(world)
    _register_schemas(world, producer)


def _register_schemas(world: World, producer: producers.Producer) -> None:
    for version, more in (("1", {}), ("2", {"maxProperties": 3})):
        path = {"type": "till.counted", "version": version}
        route, body = "PUT /api/v1/event-types/{type}/versions/{version}", {"required": ["till"], **more}
        assert world.call(route, roles=["admin"], path=path, body=body).status == 201
    assert producer.send("till.counted", {"till": 7}).status == 202
    assert producer.send("till.counted", event_version=3).status == 400
    assert producer.send("till.counted", payload={}).status == 400
    assert producer.send_all([{"event_type": "till.moved", "event_version": 1, "payload": {}}]).json["accepted"] == 1
    for kind in ("Update", "Delete"):
        world.invoke("eventflow/set_up", sample("eventflow/set_up") | {"RequestType": kind})


def _consume_events(world: World) -> None:
    producer, patient = producers.add(world), consumers.add(world, "till.*", ack="manual", key="k")
    quick = consumers.add(world, "till.*", start="earliest")
    for number in range(2):
        producer.send("till.opened", {"number": number})
    producer.deliver()
    fetched = patient.fetch()
    for what, more in (("extend", {"seconds": 60}), ("nack", {})):
        assert len(patient.tell(what, fetched["ack"], **more)) == len(fetched["ack"])
    with patch.object(eventlog, "load", side_effect=Unavailable):
        assert quick.call("GET", "/events").status == 503
    assert quick.ids()
    assert quick.ids() == []
    event_id = fetched["events"][0]["event_id"]
    assert consumers.bury(patient) == len(fetched["events"])
    assert patient.tell("ack", fetched["ack"])
    assert patient.call("GET", "/dead-letters").json["items"]
    for method, rest in (("POST", "/{eventId}/redrive"), ("POST", "/redrive"), ("DELETE", "/{eventId}")):
        patient.call(method, f"/dead-letters{rest}", path={"eventId": event_id})
    for act in ("pause", "resume"):
        assert patient.call("POST", f"/{act}").status == 200
    assert patient.call("PATCH", body={"name": "Another"}).status == 200
    _replay_events(world, patient)
    _lose_queues(world, patient, producer)
    _end_what_was_begun(world)
    assert quick.call("DELETE").status == 204


def _replay_events(world: World, consumer: Consumer) -> None:
    assert consumers.bury(consumer)
    everything = {"from": "2026-01-01T00:00:00Z"}
    assert consumer.call("POST", "/replays", everything | {"dry_run": True}).json["matched"]
    for body in (everything, everything, {"dead_only": True}):
        begun = consumer.call("POST", "/replays", body, headers={"Idempotency-Key": str(body)})
        given = {"replay_id": begun.json["replay_id"], "consumer_id": consumer.consumer_id}
        assert world.invoke("eventflow/run_replay", given) == {"finished": True}
    with patch.object(launching, "MAX_RUNNING", 0):
        assert consumer.call("POST", "/replays", everything, headers={"Idempotency-Key": "too many"}).status == 409
    queuedeleting.delete(consumer.consumer_id)
    given["replay_id"] = consumer.call("POST", "/replays", everything).json["replay_id"]
    with pytest.raises(Unavailable):
        world.invoke("eventflow/run_replay", given)
    assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 1}
    stopped = consumer.call("DELETE", "/replays/{replayId}", path={"replayId": given["replay_id"]})
    assert stopped.json["status"] == "STOPPED"


def _lose_queues(world: World, consumer: Consumer, producer: producers.Producer) -> None:
    """Lose a consumer's queue under everybody, and have it made again."""
    producer.send("till.opened")
    producer.deliver()
    assert consumers.bury(consumer)
    (event_id, *_) = (each["event_id"] for each in consumer.call("GET", "/dead-letters").json["items"])
    token = leases.token(registry.find(consumer.consumer_id), leases.Lease(ids.new(), "r", 0, 9_999_999_999_999))
    everything: tuple[tuple[str, str, Any], ...] = (
        ("GET", "", None),
        ("GET", "/events", None),
        ("POST", "/ack", {"ack": [token]}),
        ("POST", "/nack", {"ack": [token]}),
        ("POST", "/extend", {"ack": [token], "seconds": 1}),
        ("POST", "/dead-letters/redrive", None),
        ("POST", "/dead-letters/{eventId}/redrive", None),
    )
    for method, rest, body in everything:
        queuedeleting.delete(consumer.consumer_id)
        assert consumer.call(method, rest, body, path={"eventId": event_id}).status in (200, 503)
        assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 1}
    queuedeleting.delete(consumer.consumer_id)
    producer.deliver()
    assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 1}


def _end_what_was_begun(world: World) -> None:
    """Register what is under an old key, and what is given up."""
    make = queuemaking.create

    def made_and_lost(consumer_id: str, name: str) -> str:
        make(consumer_id, name)
        raise Unavailable

    with patch.object(queuemaking, "create", made_and_lost):
        assert consumers.register(world).status == 503
    with patch.object(clock, "now", lambda: clock.parse("2999-01-01T00:00:00Z")):
        assert consumers.register(world, "till.*", ack="manual", key="k").status == 409
        assert world.invoke("eventflow/tend_consumers", {}) == {"tended": 1}


def rotate_keys(world: World) -> None:
    for secret in ("AccessKeySecret", "RefreshKeySecret"):
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            event = {"Step": step, "SecretId": secret, "ClientRequestToken": ids.derived("rotation", secret)}
            world.invoke("identity/rotate_keys", event)


def _have_a_second_factor(world: World) -> None:
    aws.client("sesv2").create_email_identity(EmailIdentity=template.default_of("SenderAddress"))
    ada = member(world)
    assert ada.send("POST /v1/auth/password/reset", {"email": ada.email}).status == 202
    body = json.dumps({"detail": world.events("identity.mail_requested.v1")[-1]})
    done = world.invoke("identity/on_mail_requested", {"Records": [{"messageId": "1", "body": body}]})
    assert done == {"batchItemFailures": []}
    totp_route = "/v1/auth/mfa/totp"
    secret = base64.b32decode(ada.call(f"POST {totp_route}").json["secret"])
    step = totp.step_of(clock.epoch(clock.now()))
    confirmed = ada.call(f"POST {totp_route}/confirm", {"code": totp.hotp(secret, step)}).json
    for code in (totp.hotp(secret, step + 1), confirmed["recovery_codes"][0]):
        challenge = ada.log_in().json["mfa_token"]
        assert ada.send("POST /v1/auth/mfa/verify", {"mfa_token": challenge, "code": code}).status == 200
    assert ada.call(f"DELETE {totp_route}").status == 204


def _live_with_accounts(world: World) -> None:
    admin, bob = first_administrator(world), member(world, "bob")
    assert bob.register().status == 202
    assert bob.refresh().status == 200
    stolen = bob.tokens["refresh_token"]
    assert bob.refresh().status == 200
    assert bob.refresh(stolen).status == 200
    assert len(bob.call("GET /v1/auth/sessions").json["items"]) == 1
    assert bob.call("PATCH /v1/users/me", {"name": "Robert"}).status == 200
    assert bob.call("GET /v1/users/{id}", path={"id": bob.user_id}).json == bob.call("GET /v1/users/me").json
    changed = {"current_password": bob.password, "new_password": OTHER_PASSWORD}
    assert bob.call("POST /v1/auth/password", changed).status == 204
    assert bob.send("POST /v1/auth/password/reset", {"email": bob.email}).status == 202
    assert bob.send("POST /v1/auth/password/reset", {"email": "nobody@example.com"}).status == 202
    reset = {"token": bob.mailed(Purpose.RESET), "password": bob.password}
    assert bob.send("POST /v1/auth/password/reset/confirm", reset).status == 204
    assert bob.log_in().status == 200
    (session,) = bob.call("GET /v1/auth/sessions").json["items"]
    assert bob.call("DELETE /v1/auth/sessions/{id}", path={"id": session["id"]}).status == 204
    assert bob.log_in().status == 200
    assert bob.call("POST /v1/auth/logout").status == 204
    assert len(admin.call("GET /v1/users").json["items"]) > 1
    assert len(admin.call("GET /v1/users", query={"email": bob.email}).json["items"]) == 1
    path = {"id": bob.user_id}
    assert admin.call("PUT /v1/users/{id}/roles", {"roles": ["admin"]}, path=path).status == 200
    assert admin.call("POST /v1/users/{id}/disable", path=path).status == 200
    assert admin.call("POST /v1/users/{id}/enable", path=path).status == 200


def _audit(world: World) -> None:
    level = next(item for item in world.items("StockTable") if is_level(item))
    world.put("StockTable", to_item(level | {"available": level["available"] + 1}))
    with patch.object(clock, "sleep", lambda _: world.project()):
        found = world.invoke("stock/audit_stock", {"everything": True, "repair": True})
    assert (found["found"], found["repaired"]) == (1, 1)


def keep_masters(world: World) -> None:
    warehouse = shop.warehouse(world)
    manager: dict[str, Any] = {"roles": ["manager"]}
    seller = {"id": warehouse, "userId": "seller-1"}
    for masters, master in (("warehouses", warehouse), ("variants", shop.variant(world))):
        world.call(f"GET /api/v1/{masters}", **manager)
        world.call(f"GET /api/v1/{masters}/{{id}}", path={"id": master}, **manager)
        world.call(f"PATCH /api/v1/{masters}/{{id}}", path={"id": master}, body={"name": "Another"}, **manager)
    for active in (False, True):
        world.call("PATCH /api/v1/warehouses/{id}", path={"id": warehouse}, body={"active": active}, **manager)
    world.call("PUT /api/v1/warehouses/{id}/sellers/{userId}", path=seller, **manager)
    world.call("GET /api/v1/warehouses", user="seller-1", roles=["seller"])
    world.call("GET /api/v1/warehouses/{id}/levels", path={"id": warehouse}, **manager)
    world.call("DELETE /api/v1/warehouses/{id}/sellers/{userId}", path=seller, **manager)
    level = {"id": warehouse, "variantId": shop.variant(world)}
    point = {"quantity": shop.levels(world)[warehouse][2]}
    for method in ("PUT", "DELETE", "PUT"):
        world.call(f"{method} /api/v1/warehouses/{{id}}/levels/{{variantId}}/reorder-point", path=level, body=point, **manager)
    assert shop.move(world, 1, kind="OUTBOUND").status == 201
    world.watch_levels()
    world.invoke("stock/follow_ledger", {"Records": [{"dynamodb": {"NewImage": {"reorder_point": {"N": "1"}}}}]})
    for quantity, status in ((1, 201), (99, 400)):
        lines = [{"variantId": shop.variant(world), "quantity": quantity}]
        body: dict[str, Any] = {"fromWarehouseId": warehouse, "toWarehouseId": shop.warehouse(world, "WH-2"), "lines": lines}
        headers = {"Idempotency-Key": f"{quantity}"}
        assert world.call("POST /api/v1/stock-transfers", body=body, headers=headers, **manager).status == status


def _import_stock(world: World) -> None:
    rows = [f"{kind},{shop.WAREHOUSE},SKU-1,1,,{kind}" for kind in ("INBOUND", "OUTBOUND", "THEFT")]
    text = "\n".join(["type,warehouseCode,sku,quantity,reasonCode,notes", *rows])
    for dry_run in ("true", "false"):
        headers = {"Content-Type": "text/csv", "Idempotency-Key": dry_run}
        answer = world.call(
            "POST /api/v1/stock-events/import", roles=["manager"], body=text, headers=headers, query={"dryRun": dry_run}
        )
        with patch.object(clock, "now", lambda: clock.parse("2999-01-01T00:00:00Z")):
            world.invoke("stock/resume_imports", {})
        world.invoke("stock/record_import", {"import_id": answer.json["id"]})
        found = world.call("GET /api/v1/imports/{id}", roles=["manager"], path={"id": answer.json["id"]}).json
        assert (found["accepted"], found["refused"]) == (2, 1)


def _ask_for_movements(world: World) -> None:
    moved = [shop.move(world, 1, headers={"Idempotency-Key": "k"}).json for _ in range(2)]
    # More warehouses than are looked up one by one.
    places = [f"FAR-{number}" for number in range(5)]
    for place in places:
        shop.stock(world, 1, place, code=place)
    order = shop.order(world, *map(shop.line, places))
    for step in ("reserve_stock", "charge_payment", "complete_order"):
        world.step(step, order)
    world.project()
    warehouse_id = shop.warehouse(world)
    for route in ("GET /api/v1/stock-events", "GET /api/v1/stock-events/export"):
        world.call(route, roles=["manager"])
        world.call(route, roles=["manager"], query={"variantId": shop.variant(world)})
        world.call(route, roles=["seller"], query={"warehouseId": warehouse_id})
    sold = world.call("GET /api/v1/stock-events", roles=["manager"], query={"reasonCode": "SALE"}).json["content"]
    for event in (*moved, *sold):
        world.call("GET /api/v1/stock-events/{id}", roles=["manager"], path={"id": event["id"]})
    junk = {"dynamodb": {"NewImage": {"sk": {"S": "EVENT"}, "status": {"S": "posted"}}}}
    world.invoke("stock/follow_ledger", {"Records": [junk]})


def test_nothing_is_granted_that_is_never_used(world: World, watched: Watched) -> None:
    """After every ending of an order, what a function may do and never did is a permission too many."""
    test_functions_may_do_what_every_ending_of_an_order_makes_them_do(world, watched)
    for name in SAMPLES:
        # Its consumer is not registered again under its key, as the samples after it would have it.
        if name.startswith(("identity/", "outbox/", "eventflow/", "order_saga/resume")) and name != "eventflow/delete_consumer":
            run(world, name)
    with pytest.raises(Exception, match="Unauthorized"):
        world.invoke("identity/authorize", sample("identity/authorize") | {"headers": {"Authorization": "Bearer a.b"}})
    shop.move(world, -1, kind="ADJUST", sku="NONE", headers={"Idempotency-Key": "another"})
    request = {"order_id": shop.order(world), "reason": "asked"}
    world.step("reserve_stock", request["order_id"])
    envelope = world.events("InventoryReserved")[-1] | {"data": request}
    body = json.dumps({"detail": envelope})
    world.invoke("stock/on_inventory_release_requested", {"Records": [{"messageId": "1", "body": body}]})
    world.invoke("outbox/publish_events", {"Records": [{"dynamodb": {"NewImage": {"outbox": {"B": "anVuaw=="}}}}]})

    unused = {name: granted(name) - watched.needed.get(name, set()) for name in template.functions()}

    left = [(name, *each) for name, rest in unused.items() for each in sorted(rest)]
    assert [each for each in left if each[2] not in GIVEN] == []
