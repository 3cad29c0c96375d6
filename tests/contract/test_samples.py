"""Every function has a sample event (events/), and each sample makes its handler answer as it should."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from local.shop import samples
from local.shop.samples import BEFORE, CONSUMER_ID, EVENTS, IMPORT_ID, ORDER_ID, function_of, sample
from tests import accounts, template
from tests.world import ACCESS_KEY, SECRETS, World
from tillflow.contexts.eventflow import replaystore
from tillflow.contexts.eventflow import tables as flow
from tillflow.contexts.eventflow.replaystore import Replay
from tillflow.contexts.identity import keyring, passwords, totp, users
from tillflow.contexts.identity import tables as identity_tables
from tillflow.contexts.identity.rules import Token, issue
from tillflow.contexts.identity.users import User
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws
from tillflow.storage.attributes import to_item
from tillflow.storage.commit import Commit
from tillflow.values import clock, ids

SAMPLES = sorted(str(path.relative_to(EVENTS).with_suffix("")) for path in EVENTS.rglob("*.json"))


@pytest.fixture
def arranged(world: World) -> World:
    """A world in which the samples' signed cart is not too old, and every order is overdue at once."""
    for environment in world.environments.values():
        environment |= {"CART_SNAPSHOT_MAX_AGE_SECONDS": "9999999999", "ORDER_DEADLINE_SECONDS": "0"}
    return world


def run(world: World, name: str) -> Any:
    if name.startswith("identity/") and "sessionId" in (sample(name).get("requestContext", {}).get("authorizer") or {}):
        _people_of_the_samples(world)
    if name.startswith("eventflow/"):
        _producer_of_the_samples(world)
        _replay_of_the_samples()
    for earlier in BEFORE.get(name, ()):
        answer = world.invoke(function_of(earlier), sample(earlier))
        assert not isinstance(answer, dict) or answer.get("statusCode", 200) < 300, (earlier, answer)
    return world.invoke(name, sample(name))


def body(answer: Mapping[str, Any]) -> Any:
    return json.loads(answer["body"])


def test_every_function_has_a_sample_and_every_sample_a_function() -> None:
    files = {
        str(path.relative_to(template.ROOT / "functions").with_suffix("")) for path in template.ROOT.glob("functions/*/*.py")
    }

    assert set(SAMPLES) == files == set(template.functions())
    assert samples.names() == {function.logical_id: name for name, function in template.functions().items()}


@pytest.mark.parametrize("name", [name for name in SAMPLES if "httpMethod" in sample(name)])
def test_an_http_sample_names_a_route_of_its_function(name: str) -> None:
    event = sample(name)
    routes = template.functions()[name].routes

    if name != "identity/authorize":
        assert f"{event['httpMethod']} {event['resource']}" in routes
        assert event["requestContext"]["resourcePath"] == event["resource"]


def _people_of_the_samples(world: World) -> None:
    """Let the samples' user and administrator have accounts, and the session that they speak of."""
    for name, role in (("ada", "buyer"), ("admin", "admin")):
        person = accounts.add(world, role, user_id=PEOPLE[name], session_id=SESSION_ID)
        person.change(world, "user", name=name, email=f"{name}@example.com", password_hash=passwords.hashed(PASSWORD))


PASSWORD = json.loads(sample("identity/log_in")["body"])["password"]
SESSION_ID = sample("identity/end_session")["pathParameters"]["id"]
PEOPLE = {
    name: sample(f"identity/{which}")["requestContext"]["authorizer"]["userId"]
    for name, which in (("ada", "get_me"), ("admin", "list_users"))
}

HTTP: dict[str, tuple[int, Callable[[Any], bool]]] = {
    "identity/register": (202, lambda body: body == {"status": "accepted"}),
    # Nobody has signed the samples' tokens; tests/unit/identity/test_accounts.py has those that are good.
    "identity/verify_email": (422, lambda body: body["error_code"] == "INVALID_CODE"),
    "identity/log_in": (403, lambda body: body["error_code"] == "EMAIL_NOT_VERIFIED"),
    "identity/verify_second_factor": (401, lambda body: body["error_code"] == "INVALID_MFA_TOKEN"),
    "identity/refresh_session": (401, lambda body: body["error_code"] == "INVALID_REFRESH_TOKEN"),
    "identity/ask_for_reset": (202, lambda body: body == {"status": "accepted"}),
    "identity/reset_password": (422, lambda body: body["error_code"] == "INVALID_CODE"),
    "identity/list_sessions": (200, lambda body: [each["current"] for each in body["items"]] == [True]),
    "identity/get_me": (200, lambda body: (body["id"], body["email"]) == (PEOPLE["ada"], "ada@example.com")),
    "identity/change_me": (200, lambda body: body["name"] == "Ada King"),
    "identity/get_user": (200, lambda body: body["id"] == PEOPLE["ada"]),
    "identity/list_users": (200, lambda body: body["next_token"] is None),
    "identity/set_roles": (200, lambda body: body["roles"] == ["buyer", "seller"]),
    "identity/disable_user": (200, lambda body: body["disabled"]),
    "identity/enable_user": (200, lambda body: not body["disabled"]),
    "system/report_health": (200, lambda body: body == {"service": "tillflow", "status": "ok"}),
    "system/serve_openapi": (200, lambda body: body["openapi"].startswith("3.1")),
    "identity/get_jwks": (200, lambda body: [key["kid"] for key in body["keys"]] == [ACCESS_KEY.kid]),
    "identity/create_service_token": (201, lambda body: body["scopes"] == ["tokens:issue"] and body["token"].startswith("tf_")),
    "identity/list_service_tokens": (200, lambda body: [each["name"] for each in body["items"]] == ["checkout"]),
    "identity/issue_token": (200, lambda body: body["tokenType"] == "Bearer" and body["expiresIn"] == 3600),
    "identity/introspect_token": (200, lambda body: body == {"active": False}),
    "orders/create_order": (201, lambda body: body == {"orderId": ORDER_ID}),
    "orders/get_order": (200, lambda body: (body["id"], body["status"]) == (ORDER_ID, "pending")),
    "orders/list_orders": (200, lambda body: [each["id"] for each in body["items"]] == [ORDER_ID] and body["next_token"] is None),
    "orders/cancel_order": (200, lambda body: body["order"]["cancellationReason"] == "customer_request"),
    "stock/create_warehouse": (201, lambda body: body["name"] == "São Paulo" and body["sellerIds"] == ["seller-1"]),
    "stock/create_variant": (201, lambda body: body["sku"] == "LAPTOP-X-RED-256" and body["active"]),
    "stock/create_stock_event": (201, lambda body: body["lines"][0]["quantity"] == 25),
    "stock/create_stock_transfer": (
        201,
        lambda body: [body[half]["lines"][0]["quantity"] for half in ("outbound", "inbound")] == [-5, 5],
    ),
    "stock/get_levels": (200, lambda body: [level["available"] for level in body["items"]] == [25]),
    "stock/list_warehouses": (200, lambda body: [each["code"] for each in body["content"]] == ["WH-SAO-01"]),
    "stock/get_warehouse": (200, lambda body: body["sellerIds"] == ["seller-1"]),
    "stock/change_warehouse": (200, lambda body: body["name"] == "São Paulo, Lapa"),
    "stock/list_warehouse_levels": (200, lambda body: [each["available"] for each in body["content"]] == [25]),
    "stock/set_reorder_point": (200, lambda body: (body["quantity"], body["available"], body["low"]) == (20, 25, False)),
    "stock/clear_reorder_point": (200, lambda body: body["quantity"] is None),
    "stock/name_seller": (200, lambda body: body["sellerIds"] == ["seller-1", "seller-2"]),
    "stock/remove_seller": (200, lambda body: body["sellerIds"] == []),
    "stock/list_variants": (200, lambda body: [each["sku"] for each in body["content"]] == ["LAPTOP-X-RED-256"]),
    "stock/get_variant": (200, lambda body: body["sku"] == "LAPTOP-X-RED-256"),
    "stock/change_variant": (200, lambda body: not body["active"]),
    "stock/get_stock_event": (200, lambda body: (body["type"], body["lines"][0]["quantity"]) == ("OUTBOUND", -2)),
    "stock/import_stock_events": (202, lambda body: (body["id"], body["rows"]) == (IMPORT_ID, 2)),
    "stock/get_import": (200, lambda body: (body["status"], body["accepted"]) == ("completed", 2)),
    "stock/list_stock_events": (200, lambda body: [each["warehouseCode"] for each in body["content"]] == ["WH-SAO-01"]),
    "eventflow/check_health": (200, lambda body: body == {"status": "UP"}),
    "eventflow/create_producer": (201, lambda body: body["api_key"].startswith("tf_") and body["status"] == "ACTIVE"),
    "eventflow/list_producers": (200, lambda body: [each["producer_id"] for each in body["items"]] == [samples.PRODUCER_ID]),
    "eventflow/get_producer": (200, lambda body: body["name"] == "Point of sale"),
    "eventflow/change_producer": (200, lambda body: body["rate"] == 500),
    "eventflow/disable_producer": (200, lambda body: body["status"] == "DISABLED"),
    "eventflow/enable_producer": (200, lambda body: body["status"] == "ACTIVE"),
    "eventflow/create_key": (201, lambda body: body["name"] == "tills, 2026" and body["api_key"].startswith("tf_")),
    "eventflow/list_keys": (200, lambda body: [each["id"] for each in body["items"]] == [samples.PRODUCER_KEY_ID]),
    "eventflow/accept_event": (202, lambda body: (body["event_id"], body["status"]) == (samples.EVENT_ID, "ACCEPTED")),
    "eventflow/accept_events": (202, lambda body: (body["accepted"], body["rejected"], body["failed"]) == (2, 0, 0)),
    "eventflow/list_events": (200, lambda body: (body["items"], body["total"], body["total_relation"]) == ([], 0, "eq")),
    "eventflow/get_event": (200, lambda body: body["payload"]["till"] == 7),
    "eventflow/register_schema": (
        201,
        lambda body: (body["event_type"], body["version"], body["override"]) == ("till.opened", 1, None),
    ),
    "eventflow/get_schema": (200, lambda body: body["schema"] == json.loads(sample("eventflow/register_schema")["body"])),
    "eventflow/get_event_type": (200, lambda body: [each["version"] for each in body["versions"]] == [1]),
    "eventflow/list_event_types": (200, lambda body: body["items"] == [{"event_type": "till.opened", "version": 1}]),
    "stock/list_releases": (200, lambda body: [each["orderId"] for each in body["content"]] == [ORDER_ID]),
    "eventflow/create_consumer": (201, lambda body: (body["consumer_id"], body["status"]) == (CONSUMER_ID, "ACTIVE")),
    "eventflow/list_consumers": (200, lambda body: [each["consumer_id"] for each in body["items"]] == [CONSUMER_ID]),
    "eventflow/get_consumer": (200, lambda body: (body["backlog"], body["in_flight"], body["dead_letters"]) == (0, 0, 0)),
    "eventflow/change_consumer": (200, lambda body: body["lease_seconds"] == 120),
    "eventflow/pause_consumer": (200, lambda body: body["status"] == "PAUSED"),
    "eventflow/resume_consumer": (200, lambda body: body["status"] == "ACTIVE"),
    "eventflow/fetch_events": (200, lambda body: [each["event_type"] for each in body["events"]] == ["OrderCreated"]),
    # The lease that the samples speak of was over long ago.
    "eventflow/acknowledge_events": (200, lambda body: [each["status"] for each in body["results"]] == ["expired"]),
    "eventflow/return_events": (200, lambda body: [each["status"] for each in body["results"]] == ["expired"]),
    "eventflow/extend_leases": (200, lambda body: [each["status"] for each in body["results"]] == ["expired"]),
    "eventflow/list_dead_letters": (200, lambda body: [each["event_type"] for each in body["items"]] == ["OrderCreated"]),
    "eventflow/redrive_dead_letter": (202, lambda body: body["status"] == "QUEUED"),
    "eventflow/create_replay": (
        202,
        lambda body: (body["status"], body["event_types"], body["sent"]) == ("RUNNING", ["Order*"], 0),
    ),
    "eventflow/list_replays": (200, lambda body: [each["event_types"] for each in body["items"]] == [["Order*"]] * 2),
    "eventflow/get_replay": (200, lambda body: (body["status"], body["rate"]) == ("RUNNING", 100)),
    "eventflow/stop_replay": (200, lambda body: body["status"] == "STOPPED"),
    "eventflow/redrive_dead_letters": (202, lambda body: body == {"redriven": 1, "remaining": 0}),
}


@pytest.mark.parametrize("name", HTTP)
def test_an_http_sample_is_answered(arranged: World, name: str) -> None:
    status, holds = HTTP[name]

    answer = run(arranged, name)

    assert answer["statusCode"] == status, answer
    assert holds(body(answer)), answer


def test_the_export_sample_is_answered_with_a_file(arranged: World) -> None:
    answer = run(arranged, "stock/export_releases")

    assert answer["statusCode"] == 200
    header, row, end = answer["body"].split("\r\n")
    assert header == "releaseId,orderId,reservationId,reason,skuId,quantity,releasedAt"
    assert row.split(",")[1] == ORDER_ID
    assert row.split(",")[3:6] == ["PROCESSING_FAILED", "LAPTOP-X-RED-256", "2"]
    assert end == ""


def test_the_sample_of_the_other_export_is_answered_with_a_file(arranged: World) -> None:
    answer = run(arranged, "stock/export_stock_events")

    assert answer["statusCode"] == 200
    header, row, end = answer["body"].split("\r\n")
    assert header.split(",")[-3:] == ["variantId", "variantSku", "quantity"]
    assert row.split(",")[-2:] == ["LAPTOP-X-RED-256", "25"]
    assert end == ""


@pytest.mark.parametrize(
    "name",
    [
        "identity/log_out",
        "identity/end_session",
        "identity/change_password",
        "eventflow/revoke_key",
        "eventflow/erase_payload",
        "eventflow/delete_consumer",
        "eventflow/discard_dead_letter",
    ],
)
def test_a_sample_that_there_is_nothing_to_say_about_is_done(world: World, name: str) -> None:
    answer = run(world, name)

    assert (answer["statusCode"], answer["body"]) == (204, "")


def test_the_sample_of_the_first_administrator_makes_one(world: World) -> None:
    assert run(world, "identity/create_first_administrator") == {"status": "created"}


def test_the_authorizer_sample_is_let_through(world: World) -> None:
    answer = world.invoke("identity/authorize", sample("identity/authorize"))

    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    assert sample("identity/authorize")["methodArn"].startswith(statement["Resource"].removesuffix("*"))
    assert answer["context"] == {"userId": "service", "roles": "service"}


def test_the_rotation_s_sample_makes_a_key_that_is_still_to_come(world: World) -> None:
    event = sample("identity/rotate_keys")

    assert world.invoke("identity/rotate_keys", event) is None

    client, secret = aws.client("secretsmanager"), event["SecretId"]
    made = client.get_secret_value(SecretId=secret, VersionId=event["ClientRequestToken"], VersionStage="AWSPENDING")
    assert [key.kid for key in keyring.read(made["SecretString"].encode())][1:] == [ACCESS_KEY.kid]
    assert client.get_secret_value(SecretId=secret)["SecretString"] == SECRETS[secret]


def test_the_sample_of_a_revocation_ends_a_service_s_token(world: World) -> None:
    made = body(world.invoke("identity/create_service_token", sample("identity/create_service_token")))

    event = sample("identity/revoke_service_token") | {"pathParameters": {"id": made["id"]}}
    assert world.invoke("identity/revoke_service_token", event)["statusCode"] == 204

    assert body(world.invoke("identity/list_service_tokens", sample("identity/list_service_tokens"))) == {"items": []}


def test_introspection_of_an_issued_token_tells_what_it_says(world: World) -> None:
    # The sample's token is one that nobody signed; with a real one in its place it is an example of the good answer.
    event = sample("identity/introspect_token")
    token = issue(Token("user-1", ("buyer",), 1, 9_999_999_999), SECRETS["TokenSigningSecret"].encode())

    answer = world.invoke("identity/introspect_token", event | {"body": json.dumps({"token": token})})

    assert body(answer) == {"active": True, "userId": "user-1", "roles": ["buyer"], "issuedAt": 1, "expiresAt": 9_999_999_999}


STEPS: dict[str, tuple[object, str, str]] = {
    # what it answers, and in which table an item then has which status
    "order_saga/reserve_stock": ({}, "StockTable", "pending"),
    "order_saga/charge_payment": ({}, "PaymentsTable", "succeeded"),
    "order_saga/complete_order": ({}, "OrdersTable", "confirmed"),
    "order_saga/fail_order": ({"undo": True}, "OrdersTable", "failed"),
    "order_saga/refund_payment": ({}, "PaymentsTable", "refunded"),
    "order_saga/release_stock": ({}, "StockTable", "released"),
}


def _producer_of_the_samples(world: World) -> None:
    """Let there be the producer that the samples speak of, and the key."""
    told = {"name": "Point of sale", "disabled": False, "created_at": clock.EARLIEST, "created_by": "admin-1"}
    listed = {"listed": flow.PRODUCERS, "listed_as": flow.listed_as(clock.EARLIEST, samples.PRODUCER_ID)}
    world.put("EventFlowTable", to_item(flow.producer_key(samples.PRODUCER_ID) | told | listed))
    key = {"kind": "api_key", "owner": samples.PRODUCER_ID, "name": "a", "scopes": ["events:write"], "digest": b""}
    listed = {"listed": identity_tables.machines_listed("api_key", samples.PRODUCER_ID), "listed_as": clock.EARLIEST}
    told = {"created_at": clock.EARLIEST, "created_by": "admin-1"}
    world.put("IdentityTable", to_item(identity_tables.machine_key(samples.PRODUCER_KEY_ID) | key | told | listed))


def _replay_of_the_samples() -> None:
    """Let there be the replay that the samples speak of."""
    commit = Commit(Cause("admin-1", (), ids.new()))
    moments = "2026-02-10T00:00:00.000Z", "2026-02-10T12:45:00.000Z"
    replay = Replay(samples.CONSUMER_ID, samples.REPLAY_ID, *moments, ("Order*",), False, 100, moments[1], "admin-1")
    replaystore.add(commit, replay, moments[1])
    commit.write()


@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_the_saga_takes_its_sample(arranged: World, name: str) -> None:
    answer, table, status = STEPS[name]

    assert run(arranged, name) == answer

    assert status in {item.get("status") for item in arranged.items(table)}


def test_the_schedule_s_sample_starts_the_saga_of_an_overdue_order(arranged: World) -> None:
    assert run(arranged, "order_saga/resume_stuck_orders") == {"resumed": 1}


def test_the_other_schedule_s_sample_proves_what_was_stocked(arranged: World) -> None:
    run(arranged, "stock/get_levels")
    arranged.project()

    found = arranged.invoke("stock/audit_stock", sample("stock/audit_stock"))

    assert (found["proven"], found["found"], found["finished"]) == (1, 0, True)


def test_the_stream_s_sample_is_published(world: World) -> None:
    with world.bus() as published:
        world.invoke("outbox/publish_events", sample("outbox/publish_events"))

    assert [(entry["Source"], entry["DetailType"]) for entry in published] == [
        ("tillflow.orders", "OrderCreated"),
        ("tillflow.orders", "orders.order_placed.v1"),
    ]


def test_the_import_s_samples_record_it_and_start_no_other_again(arranged: World) -> None:
    assert run(arranged, "stock/record_import") == {"finished": True}

    assert sorted(item["type"] for item in arranged.items("StockTable") if item["sk"] == "EVENT") == ["INBOUND", "OUTBOUND"]
    assert arranged.invoke("stock/resume_imports", sample("stock/resume_imports")) == {"resumed": 0}


def test_a_queue_s_sample_of_a_release_request_gives_the_stock_back(arranged: World) -> None:
    assert run(arranged, "stock/on_inventory_release_requested") == {"batchItemFailures": []}

    assert [event["data"]["reason"] for event in arranged.events("InventoryReleased")] == ["PAYMENT_FAILED"]


def test_a_queue_s_sample_of_an_event_is_kept(world: World) -> None:
    assert world.invoke("eventflow/route_events", sample("eventflow/route_events")) == {"batchItemFailures": []}

    assert [event.event_type for event in world.kept_events()] == ["OrderCreated"]


def test_a_queue_s_sample_of_a_dead_letter_is_kept_and_the_schedule_finds_nothing_to_tend(world: World) -> None:
    assert run(world, "eventflow/keep_dead_letters") == {"batchItemFailures": []}

    assert [item["event_id"] for item in world.items("EventFlowTable") if item["pk"].startswith("DEAD#")] == [samples.FETCHED]
    assert world.invoke("eventflow/tend_consumers", sample("eventflow/tend_consumers")) == {"tended": 0}


def test_the_samples_of_a_replay_that_nobody_is_at_start_it_and_end_it(arranged: World) -> None:
    assert run(arranged, "eventflow/resume_replays") == {"resumed": 1}
    assert arranged.invoke("eventflow/resume_replays", sample("eventflow/resume_replays")) == {"resumed": 0}

    assert run(arranged, "eventflow/run_replay") == {"finished": True}
    assert body(arranged.invoke("eventflow/get_replay", sample("eventflow/get_replay")))["status"] == "COMPLETED"


def test_the_sample_of_the_stack_s_set_up_registers_the_product_s_own_types(arranged: World) -> None:
    assert run(arranged, "eventflow/set_up") is None

    listed = body(arranged.invoke("eventflow/list_event_types", sample("eventflow/list_event_types")))["items"]
    assert {"event_type": "OrderCreated", "version": 1} in listed


def test_the_stream_s_sample_of_a_sale_and_of_a_low_level_is_listed_and_told_of(arranged: World) -> None:
    low = "stock/follow_ledger"
    for earlier in BEFORE[low]:
        arranged.invoke(earlier, sample(earlier))
    path = {"id": samples.WAREHOUSE_ID, "variantId": samples.VARIANT_ID}
    lines = [{"variantId": samples.VARIANT_ID, "quantity": 4}]
    body = {"type": "OUTBOUND", "warehouseId": path["id"], "lines": lines}
    assert arranged.call("POST /api/v1/stock-events", body=body, roles=["manager"]).status == 201

    before = len(arranged.items("MovementsTable"))
    arranged.invoke(low, sample(low))

    assert len(arranged.items("MovementsTable")) - before == 3
    assert [event["data"]["available"] for event in arranged.events("StockLevelLow")] == [19]


def _user_of_the_samples() -> str:
    """Make the user whose second factor the samples change, and return their id."""
    user_id = str(sample("identity/enrol_totp")["requestContext"]["authorizer"]["userId"])
    commit = Commit(Cause(user_id, (), ids.new()))
    users.add(commit, User(user_id, "ada@example.com", "Ada", ("buyer",), "a hash", True, False, 0, "2026-02-10T12:34:56.000Z"))
    commit.write()
    return user_id


def test_the_samples_of_a_second_factor_set_it_up_and_remove_it(world: World) -> None:
    user_id = _user_of_the_samples()

    shown = body(world.invoke("identity/enrol_totp", sample("identity/enrol_totp")))
    code = totp.hotp(base64.b32decode(shown["secret"]), totp.step_of(clock.epoch(clock.now())))
    # The sample's code is nobody's; with the app's in its place it is an example of the good answer.
    assert world.invoke("identity/confirm_totp", sample("identity/confirm_totp"))["statusCode"] == 422
    event = sample("identity/confirm_totp") | {"body": json.dumps({"code": code})}
    assert len(body(world.invoke("identity/confirm_totp", event))["recovery_codes"]) == 10
    assert users.get(user_id).mfa_enabled
    assert world.invoke("identity/remove_totp", sample("identity/remove_totp"))["statusCode"] == 204
    assert not users.get(user_id).mfa_enabled


def test_the_sample_of_a_mail_whose_code_is_no_more_is_taken_and_forgotten(world: World) -> None:
    assert world.invoke("identity/on_mail_requested", sample("identity/on_mail_requested")) == {"batchItemFailures": []}


def test_every_sample_is_run_by_a_test_of_this_file() -> None:
    apart = {
        "eventflow/erase_payload",
        "eventflow/revoke_key",
        "identity/log_out",
        "identity/end_session",
        "identity/change_password",
        "identity/create_first_administrator",
        "identity/authorize",
        "identity/rotate_keys",
        "identity/enrol_totp",
        "identity/confirm_totp",
        "identity/remove_totp",
        "identity/on_mail_requested",
        "identity/revoke_service_token",
        "stock/export_releases",
        "stock/export_stock_events",
        "stock/follow_ledger",
        "stock/audit_stock",
        "stock/record_import",
        "stock/resume_imports",
        "order_saga/resume_stuck_orders",
        "outbox/publish_events",
        "stock/on_inventory_release_requested",
        "eventflow/delete_consumer",
        "eventflow/discard_dead_letter",
        "eventflow/keep_dead_letters",
        "eventflow/route_events",
        "eventflow/tend_consumers",
        "eventflow/set_up",
        "eventflow/run_replay",
        "eventflow/resume_replays",
    }

    assert {*HTTP, *STEPS, *apart} == set(SAMPLES)
