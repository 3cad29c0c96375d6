"""
JSON Schemas (2020-12) of every event, generated from the data models: schemas/events/<event type>.v1.json.

A schema is a promise to consumers and, for what others send us, from producers. So within a version a field may only be
added, and only as an optional one; `make docs` refuses to write anything else. What must change otherwise
is a new version: a new event type beside the old one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import DecimalSchema

from local import ROOT, LocalError
from local.process import console
from tillflow.contexts.eventflow import events as eventflow
from tillflow.contexts.eventflow.models import SchemaOverridden
from tillflow.contexts.identity import events as identity
from tillflow.contexts.identity.models import MailRequested, SessionRevoked
from tillflow.contexts.orders import events as orders
from tillflow.contexts.orders.models import InventoryReleaseRequested, OrderCanceled, OrderCreated, OrderPlaced
from tillflow.contexts.payments import events as payments
from tillflow.contexts.payments.models import PaymentFailed, PaymentSucceeded
from tillflow.contexts.stock import events as stock
from tillflow.contexts.stock.models import InventoryFailed, InventoryReleased, InventoryReserved, StockLevelLow
from tillflow.messaging.envelope import VERSION

FOLDER = ROOT / "schemas" / "events"

EVENTS: dict[str, type[BaseModel]] = {
    orders.ORDER_CREATED: OrderCreated,
    orders.ORDER_PLACED: OrderPlaced,
    orders.ORDER_CANCELED: OrderCanceled,
    orders.INVENTORY_RELEASE_REQUESTED: InventoryReleaseRequested,
    stock.INVENTORY_RESERVED: InventoryReserved,
    stock.INVENTORY_FAILED: InventoryFailed,
    stock.INVENTORY_RELEASED: InventoryReleased,
    stock.STOCK_LEVEL_LOW: StockLevelLow,
    payments.PAYMENT_SUCCEEDED: PaymentSucceeded,
    payments.PAYMENT_FAILED: PaymentFailed,
    identity.MAIL_REQUESTED: MailRequested,
    identity.SESSION_REVOKED: SessionRevoked,
    eventflow.SCHEMA_OVERRIDDEN: SchemaOverridden,
}

# What says nothing about which events are valid.
_ANNOTATIONS = {"title", "description", "$comment", "examples", "$id", "$schema"}

type Schema = dict[str, Any]


class _Generator(GenerateJsonSchema):
    """Pydantic's schemas, with amounts as the JSON numbers that the contract shows."""

    def decimal_schema(self, schema: DecimalSchema) -> Schema:
        del schema
        return {"type": "number"}


def path_of(event_type: str) -> Path:
    """Return where the schema of an event type is kept."""
    return FOLDER / f"{event_type.removesuffix('.v1')}.v1.json"


def schema_of(event_type: str) -> Schema:
    """Return the schema of an event type: the envelope (contract: event-contracts.md) around its data."""
    model = EVENTS[event_type]
    properties: Schema = {
        "event_id": {"type": "string", "format": "uuid"},
        "event_type": {"const": event_type},
        "occurred_at": {"type": "string", "format": "date-time", "description": "UTC, with Z."},
        "trace_id": {"type": "string", "format": "uuid"},
        "identity": {
            "type": "object",
            "properties": {"user_id": {"type": "string"}, "roles": {"type": "array", "items": {"type": "string"}}},
            "required": ["user_id", "roles"],
        },
        "data": data_schema(model),
        "version": {"const": VERSION},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event_type,
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def data_schema(model: type[BaseModel]) -> Schema:
    """Return the schema of an event's data, without references."""
    generated = model.model_json_schema(schema_generator=_Generator)
    inlined: Schema = _inline(generated, generated.pop("$defs", {}))
    return inlined


def _inline(value: Any, definitions: Schema) -> Any:
    """Return a schema with its definitions in their places, and without the titles that only repeat a field's name."""
    if isinstance(value, list):
        return [_inline(member, definitions) for member in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inline(definitions[value["$ref"].removeprefix("#/$defs/")], definitions)
    # A property may be called "title"; a schema's title is text.
    kept = {name: member for name, member in value.items() if name != "title" or not isinstance(member, str)}
    return {name: _inline(member, definitions) for name, member in kept.items()}


def breaking_changes(old: Schema, new: Schema, at: str = "event") -> Iterator[str]:
    """
    Yield what in *new* could break somebody who relies on *old*, in words.

    Events of today are read by consumers of yesterday, and archived events of yesterday by consumers of today: so only
    an optional field may be added.
    """
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before:
        if name in after:
            yield from breaking_changes(before[name], after[name], f"{at}.{name}")
        else:
            yield f"{at}.{name} was removed"
    if "items" in old and "items" in new:
        yield from breaking_changes(old["items"], new["items"], f"{at}[]")
    was, now = set(old.get("required", ())), set(new.get("required", ()))
    yield from (f"{at}.{name} became required" for name in sorted(now - was))
    yield from (f"{at}.{name} is required no more" for name in sorted(was - now) if name in after)
    for keyword in sorted({*old, *new} - _ANNOTATIONS - {"properties", "required"}):
        both = keyword in old and keyword in new
        if _bare(old.get(keyword)) != _bare(new.get(keyword)) and not (keyword == "items" and both):
            yield f"{at}: {keyword} was {json.dumps(old.get(keyword))} and is {json.dumps(new.get(keyword))}"


def _bare(value: Any) -> Any:
    """Return a part of a schema without what only describes it."""
    if isinstance(value, list):
        return [_bare(member) for member in value]
    if isinstance(value, dict):
        return {name: _bare(member) for name, member in value.items() if name not in _ANNOTATIONS}
    return value


def text_of(schema: Schema) -> str:
    """Return a schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """
    Write every event's schema.

    Raises:
        LocalError: a change would break somebody; nothing was written.
    """
    broken: list[str] = []
    for event_type in EVENTS:
        if path_of(event_type).exists():
            broken += breaking_changes(json.loads(path_of(event_type).read_text()), schema_of(event_type), event_type)
    if broken:
        raise LocalError("give the event a new version, for this breaks who relies on it:\n" + "\n".join(broken))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for event_type in EVENTS:
        path_of(event_type).write_text(text_of(schema_of(event_type)))
    console.print(f"{len(EVENTS)} schemas in {FOLDER.relative_to(ROOT)}")
