"""Every event has a JSON Schema under version control, what we emit fits it, and no change of it breaks anybody."""

import importlib
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # ships no types
from pydantic import BaseModel, create_model

from local import LocalError
from local.docs import event_types, schemas
from local.docs.schemas import EVENTS, breaking_changes, path_of, schema_of
from tests import shop, template
from tests.people import member
from tests.world import World
from tillflow.contexts.eventflow import events as eventflow
from tillflow.contexts.identity import events as identity
from tillflow.contexts.orders import events as orders
from tillflow.contexts.orders.rules import Order
from tillflow.contexts.payments import events as payments
from tillflow.contexts.stock import events as stock
from tillflow.contexts.stock.rules import Level, Line
from tillflow.messaging.envelope import Cause, Event, seal
from tillflow.values import jsontext

AT = datetime(2026, 2, 10, 12, 34, 56, tzinfo=UTC)
ORDER_ID, OTHER_ID = "45c6f025-7241-5c12-8fe5-0086db318f39", "a6e25b1a-0a4f-4c39-9c07-3c6f0a3e7f11"
CART = shop.signed_cart(shop.line("A", 3, 1990), shop.line("B", 1, 10))
ORDER = Order(
    ORDER_ID, "canceled", "user-1", ("buyer",), CART, OTHER_ID, AT, AT, cancellation_reason="changed my mind", canceled_at=AT
)
LINES = [Line(OTHER_ID, "A", OTHER_ID, 2), Line(OTHER_ID, "A", ORDER_ID, 1)]
MADE: list[Event] = [
    orders.order_created(ORDER),
    orders.order_placed(ORDER),
    orders.order_canceled(ORDER),
    orders.inventory_release_requested(ORDER_ID, "PAYMENT_FAILED"),
    stock.inventory_reserved(ORDER_ID, OTHER_ID, LINES),
    stock.inventory_failed(ORDER_ID, "OUT_OF_STOCK"),
    stock.inventory_released(OTHER_ID, ORDER_ID, OTHER_ID, "PAYMENT_FAILED", LINES),
    stock.stock_level_low(Level(OTHER_ID, ORDER_ID, 3, reorder_point=5), "A"),
    payments.payment_succeeded(ORDER_ID, OTHER_ID),
    payments.payment_failed(ORDER_ID, OTHER_ID, "card_declined"),
    identity.mail_requested("DHo8CmwfTgudjlt_ai0ekA", "verify", OTHER_ID),
    identity.session_revoked(OTHER_ID, ORDER_ID, "refresh_token_reused"),
    eventflow.schema_overridden("till.closed", 3, [1, 2], "Nobody reads it", OTHER_ID),
]


def committed(event_type: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(path_of(event_type).read_text())
    return schema


def unknown(value: object, schema: dict[str, Any], at: str = "event") -> Iterator[str]:
    """Yield every field of an event that its schema does not name: nobody can rely on it."""
    if isinstance(value, list):
        for member in value:
            yield from unknown(member, schema["items"], f"{at}[]")
    if isinstance(value, dict):
        for name, member in value.items():
            if name in schema["properties"]:
                yield from unknown(member, schema["properties"][name], f"{at}.{name}")
            else:
                yield f"{at}.{name}"


def assert_fits(envelope: dict[str, Any]) -> None:
    schema = committed(envelope["event_type"])
    checker = Draft202012Validator.FORMAT_CHECKER
    errors = [error.message for error in Draft202012Validator(schema, format_checker=checker).iter_errors(envelope)]
    assert errors == []
    assert list(unknown(envelope, schema)) == []
    occurred_at = envelope["occurred_at"]
    assert occurred_at.endswith("Z")
    assert datetime.fromisoformat(occurred_at).utcoffset() == timedelta(0)


@pytest.mark.parametrize("event_type", EVENTS)
def test_the_committed_schema_is_the_models(event_type: str) -> None:
    """After a change: `make docs`."""
    Draft202012Validator.check_schema(schema_of(event_type))

    assert path_of(event_type).read_text() == schemas.text_of(schema_of(event_type))


def test_the_deployment_registers_every_event_type_and_again_when_one_has_changed() -> None:
    """After a change: `make docs`."""
    assert event_types.PATH.read_text() == event_types.text()
    written = (template.ROOT / template.ROOT_TEMPLATE).read_text()
    assert event_types.stamped(written) == written
    with pytest.raises(LocalError, match="no place"):
        event_types.stamped("Resources:")


def test_every_event_type_in_the_code_has_a_schema_and_every_schema_an_event_type() -> None:
    declared = {
        value
        for path in template.ROOT.glob("layers/shared/tillflow/contexts/*/events.py")
        for name, value in vars(importlib.import_module(f"tillflow.contexts.{path.parent.name}.events")).items()
        if name.isupper() and name != "SOURCE"
    }

    assert declared == set(EVENTS)
    assert {path.name for path in schemas.FOLDER.iterdir()} == {path_of(event_type).name for event_type in EVENTS}
    assert {event.type for event in MADE} == declared


@pytest.mark.parametrize("event", MADE, ids=lambda event: event.type)
def test_what_the_code_emits_fits_its_schema(event: Event) -> None:
    envelope = json.loads(jsontext.dumps(seal(event, Cause("user-1", ("buyer",), OTHER_ID, AT))))

    assert_fits(envelope)


@pytest.mark.parametrize("context", ["orders", "stock", "payments"])
def test_an_event_comes_from_its_own_context(context: str) -> None:
    module = importlib.import_module(f"tillflow.contexts.{context}.events")

    assert f"tillflow.{context}" == module.SOURCE


def test_amounts_are_exact_json_numbers() -> None:
    text = jsontext.dumps(seal(orders.order_created(ORDER), Cause("user-1", (), OTHER_ID, AT)))

    assert '"price":19.90' in text
    assert '"price":0.10' in text
    assert '"total_amount":59.80' in text
    assert json.loads(text, parse_float=Decimal)["data"]["total_amount"] == Decimal("59.80")


def test_what_the_stack_emits_along_an_order_fits_its_schema(world: World) -> None:
    # GIVEN one order that is confirmed and then canceled, one declined, one short of stock, and little left
    shop.stock(world, 5)
    path = {"id": shop.warehouse(world), "variantId": shop.variant(world)}
    route = "PUT /api/v1/warehouses/{id}/levels/{variantId}/reorder-point"
    world.call(route, roles=["manager"], path=path, body={"quantity": 5})
    confirmed, declined = shop.order(world), shop.order(world, paymentToken="tok_declined")
    short = shop.order(world, shop.line(quantity=9))
    for step in ("reserve_stock", "charge_payment", "complete_order"):
        world.step(step, confirmed)
    world.call("POST /api/orders/{orderId}/cancel", roles=["operator"], path={"orderId": confirmed})
    world.step("reserve_stock", declined)
    for step, order_id in [("charge_payment", declined), ("reserve_stock", short)]:
        with pytest.raises(Exception, match="order's"):
            world.step(step, order_id)
    for order_id in (confirmed, declined):
        for step in ("fail_order", "refund_payment", "release_stock"):
            world.step(step, order_id)

    shop.move(world, 1, kind="OUTBOUND")
    world.watch_levels()

    # AND somebody who registers, and whose refresh token is stolen
    ada = member(world)
    stolen = ada.tokens["refresh_token"]
    assert [ada.refresh().status for _ in range(2)] == [200, 200]
    assert ada.refresh(stolen).status == 401

    # AND a schema that is registered though earlier consumers may not understand it
    for version, schema, query in [("1", {"type": "object"}, {}), ("2", {}, {"override": "true", "reason": "Nobody reads it"})]:
        path = {"type": "till.closed", "version": version}
        route = "PUT /api/v1/event-types/{type}/versions/{version}"
        assert world.call(route, roles=["admin"], path=path, body=schema, query=query).status == 201

    # WHEN all that was emitted is looked at
    emitted = world.events()

    # THEN every type was there, and each fits
    assert {envelope["event_type"] for envelope in emitted} == set(EVENTS)
    for envelope in emitted:
        assert_fits(envelope)


# --- changes ------------------------------------------------------------------------------------------------------


class Item(BaseModel):
    """Something counted."""

    sku: str
    quantity: int


class Data(BaseModel):
    """What the changes below are made to."""

    order_id: str
    note: str | None
    items: list[Item]
    hint: str = ""


def changed(**changes: Any) -> list[str]:
    """Return what breaks when the fields of `Data` change: a type and default for each, or None to remove it."""
    annotations = {**{name: (field.annotation, field) for name, field in Data.model_fields.items()}, **changes}
    model = _model({name: definition for name, definition in annotations.items() if definition is not None})
    return list(breaking_changes(schemas.data_schema(Data), schemas.data_schema(model), "data"))


def _model(fields: dict[str, Any]) -> type[BaseModel]:
    model: type[BaseModel] = create_model("Data", **fields)
    return model


class Renamed(BaseModel):
    code: str
    quantity: int


class Wider(BaseModel):
    sku: str
    quantity: int
    weight: int = 0


def test_nothing_breaks_where_nothing_changes() -> None:
    assert changed() == []


def test_an_optional_field_may_be_added_at_any_depth() -> None:
    assert changed(colour=(str, "")) == []
    assert changed(items=(list[Wider], ...)) == []


def test_a_description_may_change() -> None:
    old, new = schemas.data_schema(Data), schemas.data_schema(Data)
    new["description"], new["properties"]["note"]["description"] = "other words", "a remark"

    assert list(breaking_changes(old, new)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"order_id": None}, ["data.order_id was removed"]),
        ({"hint": None}, ["data.hint was removed"]),
        ({"items": (list[Renamed], ...)}, ["data.items[].sku was removed", "data.items[].code became required"]),
        ({"colour": (str, ...)}, ["data.colour became required"]),
        ({"hint": (str, ...)}, ["data.hint became required"]),
        ({"order_id": (str, "")}, ["data.order_id is required no more"]),
        ({"order_id": (int, ...)}, ['data.order_id: type was "string" and is "integer"']),
        (
            {"note": (str, ...)},
            [
                'data.note: anyOf was [{"type": "string"}, {"type": "null"}] and is null',
                'data.note: type was null and is "string"',
            ],
        ),
        ({"items": (list[str], ...)}, ["data.items[].quantity was removed", "data.items[].sku was removed"]),
    ],
    ids=str,
)
def test_every_other_change_is_called_breaking(change: dict[str, Any], told: list[str]) -> None:
    broken = changed(**change)

    assert [each for each in told if each not in broken] == []
    assert len(broken) >= len(told)


def test_the_generator_refuses_to_write_a_breaking_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    # GIVEN schemas in a folder, one of which promises a field more than the model has
    monkeypatch.setattr(schemas, "FOLDER", tmp_path)
    monkeypatch.setattr(schemas, "ROOT", tmp_path)
    schemas.write()
    promised = committed(payments.PAYMENT_FAILED)
    promised["properties"]["data"]["properties"]["card"] = {"type": "string"}
    path_of(payments.PAYMENT_FAILED).write_text(json.dumps(promised))

    # WHEN they are generated again
    with pytest.raises(LocalError, match=r"PaymentFailed\.data\.card was removed"):
        schemas.write()

    # THEN nothing was written
    assert committed(payments.PAYMENT_FAILED) == promised


@pytest.mark.parametrize("commit", ["HEAD", "HEAD~1"])
@pytest.mark.parametrize("event_type", EVENTS)
def test_nothing_breaks_since_the_last_commits(commit: str, event_type: str) -> None:
    """Where there is history to ask: a hand that edits a schema past the generator is caught before it is pushed."""
    path = path_of(event_type).relative_to(template.ROOT)
    shown = subprocess.run(["git", "show", f"{commit}:{path}"], cwd=template.ROOT, capture_output=True, check=False)

    if shown.returncode == 0:
        assert list(breaking_changes(json.loads(shown.stdout), schema_of(event_type))) == []
