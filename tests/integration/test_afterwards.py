"""What all the other tests left behind, looked at last: logs, queues, ledger and money, each as a whole."""

import base64
import json
from collections import Counter
from collections.abc import Iterator

import pytest

from local.shop import samples
from tests.integration.behind import MARKER, STRANGER, Behind
from tests.integration.scene import Scene, line
from tests.integration.test_saga import PAID
from tillflow.contexts.stock.rules import STANDING
from tillflow.contexts.stock.store import lines_of
from tillflow.contexts.stock.tables import is_level, place_of
from tillflow.storage.attributes import Item
from tillflow.values.jsontext import loads

PAYMENT_TOKEN = "tok_"
SHORT = 16
# What does nothing has no trace.
DOCUMENTS = {"GET /openapi.json", "GET /docs"}


@pytest.fixture(scope="module", autouse=True, params=["orders", "attacks"])
def _all_is_done(scene: Scene, behind: Behind) -> None:
    """
    Let every order end, and place one, so that there is something to look at when only this file is run.

    The tests of each kind look at the stack that they had (tests/conftest.py): two, where two workers ran them.
    """
    order = scene.order(line(scene.plenty, 2))
    behind.settle(order.order_id)
    behind.events(order.trace_id, *PAID)
    for pending in [item for item in orders(behind) if "unsettled" in item]:
        behind.settle(pending["pk"].removeprefix("ORDER#"))


@pytest.fixture(scope="module")
def logs(behind: Behind) -> list[str]:
    """Everything that was logged."""
    return behind.log_lines()


def orders(behind: Behind) -> Iterator[Item]:
    return behind.items("OrdersTable")


def secrets(behind: Behind) -> dict[str, str]:
    listed = behind.aws.secretsmanager.list_secrets()["SecretList"]
    return {each["Name"]: behind.aws.secretsmanager.get_secret_value(SecretId=each["ARN"])["SecretString"] for each in listed}


def test_no_log_line_holds_a_secret(behind: Behind, logs: list[str]) -> None:
    assert len(logs) > 10
    for name, secret in secrets(behind).items():
        for value in texts_in(json.loads(secret) if secret.startswith("{") else secret):
            encoded = base64.b64encode(value.encode()).decode()
            assert not [text for text in logs if value in text or encoded in text], name


def texts_in(value: object) -> list[str]:
    """Return every text in a JSON *value* that is long enough to be a secret, a line at a time."""
    if isinstance(value, dict):
        return texts_in(list(value.values()))
    if isinstance(value, list):
        return [text for member in value for text in texts_in(member)]
    return [line for line in str(value).splitlines() if len(line) > SHORT]


def test_no_log_line_holds_what_people_typed_or_were_sent(scene: Scene, logs: list[str]) -> None:
    assert not [text for text in logs for secret in scene.secrets if secret in text]


def test_no_history_of_a_state_machine_and_no_event_holds_any_of_it(scene: Scene, behind: Behind) -> None:
    told = [*behind.histories(), *map(str, behind.all_events())]
    assert told
    assert not [text for text in told for secret in (*scene.secrets, *scene.tokens) if secret in text]


def test_no_log_line_holds_a_token(scene: Scene, logs: list[str]) -> None:
    assert scene.tokens
    for token in scene.tokens:
        parts = [part for part in token.split(".") if len(part) > SHORT]
        assert not [text for text in logs for part in parts if part in text]


def test_no_log_line_holds_a_payment_token(logs: list[str]) -> None:
    assert not [text for text in logs if PAYMENT_TOKEN in text]


def test_no_function_failed_for_want_of_a_permission(logs: list[str]) -> None:
    assert not [text for text in logs if "AccessDenied" in text or "not authorized" in text]


def test_nothing_unexpected_happened(logs: list[str]) -> None:
    """A message that failed is what the tests of poison arrange; an unexpected error is never arranged."""
    assert not [text for text in logs if "unexpected error" in text or "Task timed out" in text]


def test_every_line_of_a_request_names_its_trace(logs: list[str]) -> None:
    requests = [loads(text) for text in logs if text.startswith("{") and '"message":"request"' in text]
    assert requests
    assert [text for text in requests if text["route"] not in DOCUMENTS and not text.get("trace_id")] == []


def test_no_dead_letter_is_left(behind: Behind) -> None:
    assert behind.dead_letters
    assert [(url, left) for url in behind.dead_letters if (left := behind.drain(url))] == []


def test_levels_are_the_sum_of_the_ledger_and_never_negative(behind: Behind) -> None:
    """A line counts from when it is pending (its units are held) until it is released; a refused one never did."""
    ledger: Counter[tuple[str, str, int]] = Counter()
    levels: dict[tuple[str, str, int], int] = {}
    for item in behind.items("StockTable"):
        if item["sk"] == "EVENT" and item["status"] in STANDING:
            for moved in lines_of(item):
                ledger[moved.variant_id, moved.warehouse_id, moved.shard] += moved.quantity
        elif is_level(item):
            levels[place_of(item)] = item["available"]
    assert levels
    assert {key: available for key, available in levels.items() if ledger[key] != available} == {}
    assert min(levels.values()) >= 0


def test_the_audit_of_stock_proves_every_level(behind: Behind) -> None:
    """Its function is the deployed one, with the permissions that it has; the last sales may not be listed yet when it begins."""
    found = behind.invoke("AuditStockFunction", {"everything": True})

    assert found["proven"] > 0
    assert (found["differences"], found["returns"], found["unproven"], found["finished"]) == ([], [], [], True)


def test_no_reservation_is_left_pending(behind: Behind) -> None:
    assert not [item for item in behind.items("StockTable") if item["sk"] == "EVENT" and item["status"] == "pending"]


def test_money_is_kept_for_confirmed_orders_only_and_once(behind: Behind) -> None:
    statuses = {item["pk"].removeprefix("ORDER#"): item["status"] for item in orders(behind)}
    kept = Counter(item["order_id"] for item in behind.items("SandboxChargesTable") if item["status"] == "charged")
    assert {statuses[order_id] for order_id in kept} == {"confirmed"}
    assert set(kept.values()) == {1}
    free = {item["pk"].removeprefix("PAYMENT#") for item in behind.items("PaymentsTable") if item["amount"] == 0}
    assert {order_id for order_id, status in statuses.items() if status == "confirmed"} == kept.keys() | free - {
        order_id for order_id, status in statuses.items() if status != "confirmed"
    }


def test_every_event_of_an_order_happened_once(behind: Behind) -> None:
    told: Counter[tuple[str, str]] = Counter()
    for event in behind.all_events():
        # Strangers may ask for a release as often as they like; what `make event` makes up tells a buyer's events again.
        if event["event_type"] != MARKER and event["identity"]["user_id"] not in {STRANGER, samples.BUYER}:
            told[event["data"].get("order_id", event["event_id"]), event["event_type"]] += 1
    assert told
    assert {key: times for key, times in told.items() if times > 1} == {}


def test_what_is_settled_is_not_looked_for_again(behind: Behind) -> None:
    assert not [item["pk"] for item in orders(behind) if "unsettled" in item or "due_at" in item]
    assert not [item["pk"] for item in orders(behind) if item["status"] == "confirmed" and "payment_token" in item]
