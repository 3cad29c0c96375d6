"""The sample events (events/): the one story that they tell (events/README.md), and which come before which."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local import ROOT
from tillflow.values import ids

EVENTS = ROOT / "events"

# The story as the samples tell it.
AT = datetime(2026, 2, 10, 12, 34, 56, tzinfo=UTC)
SKU, WAREHOUSE = "LAPTOP-X-RED-256", "WH-SAO-01"
SNAPSHOT_ID, TRACE_ID = "0c7a3c0a-6c1f-4e0b-9d8e-5b7f6a2d1e90", "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11"
ORDER_ID, VARIANT_ID, WAREHOUSE_ID = (
    ids.derived(kind, of) for kind, of in (("order", SNAPSHOT_ID), ("variant", SKU), ("warehouse", WAREHOUSE))
)
SERVICE_TOKEN, TOKEN = "demo-service-token", "payload.signature"
BUYER = "user-1"

# What has to have happened before a sample makes sense: other samples.
STOCKED = ("stock/create_warehouse", "stock/create_variant", "stock/create_stock_event")
ORDERED = (*STOCKED, "orders/create_order")
RESERVED = (*ORDERED, "order_saga/reserve_stock")
CHARGED = (*RESERVED, "order_saga/charge_payment")
UNDONE = (*CHARGED, "order_saga/fail_order", "order_saga/refund_payment", "order_saga/release_stock")
BEFORE: dict[str, tuple[str, ...]] = {
    "stock/create_stock_event": STOCKED[:2],
    "stock/get_levels": STOCKED,
    "stock/list_releases": UNDONE,
    "stock/export_releases": UNDONE,
    "stock/on_inventory_release_requested": RESERVED,
    "orders/create_order": STOCKED,
    "orders/get_order": ORDERED,
    "orders/list_orders": ORDERED,
    "orders/cancel_order": ORDERED,
    "order_saga/reserve_stock": ORDERED,
    "order_saga/charge_payment": RESERVED,
    "order_saga/complete_order": CHARGED,
    "order_saga/fail_order": CHARGED,
    "order_saga/refund_payment": UNDONE[:-2],
    "order_saga/release_stock": UNDONE[:-1],
    "order_saga/resume_stuck_orders": ORDERED,
    "outbox/publish_events": ORDERED,
    "eventflow/record_events": ORDERED,
}

type Json = dict[str, Any]


def names() -> dict[str, str]:
    """Return every sample (`<context>/<function>`) by its function's logical id."""
    return {logical_id(path.stem): f"{path.parent.name}/{path.stem}" for path in sorted(EVENTS.glob("*/*.json"))}


def logical_id(function: str) -> str:
    """Return what the template calls a function, e.g. CreateOrderFunction."""
    return "".join(map(str.title, function.split("_"))) + "Function"


def sample(name: str) -> Json:
    """Return the sample event of a function, e.g. `orders/create_order`."""
    event: Json = json.loads(path_of(name).read_text())
    return event


def path_of(name: str) -> Path:
    """Return where a sample event is kept."""
    return EVENTS / f"{name}.json"
