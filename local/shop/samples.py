"""The sample events (events/): the one story that they tell (events/README.md), and which come before which."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local import ROOT
from tillflow.values import ids
from tillflow.web import paging

EVENTS = ROOT / "events"

# The story as the samples tell it.
AT = datetime(2026, 2, 10, 12, 34, 56, tzinfo=UTC)
SKU, WAREHOUSE, OTHER_WAREHOUSE = "LAPTOP-X-RED-256", "WH-SAO-01", "WH-RIO-01"
SNAPSHOT_ID, TRACE_ID = "0c7a3c0a-6c1f-4e0b-9d8e-5b7f6a2d1e90", "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11"
ORDER_ID, VARIANT_ID = ids.derived("order", SNAPSHOT_ID), ids.derived("variant", SKU)
WAREHOUSE_ID, OTHER_WAREHOUSE_ID = (ids.derived("warehouse", code) for code in (WAREHOUSE, OTHER_WAREHOUSE))
IMPORTER, IMPORT_KEY = "seller-1", "delivery-2026-02-10"
IMPORT_ID = ids.derived("import", f"{IMPORTER}\n{IMPORT_KEY}")
SERVICE_TOKEN, TOKEN = "demo-service-token", "payload.signature"
ACCESS_KEY_SECRET, MACHINE_ID = "AccessKeySecret", "3f6f9d0e-4c55-4d0a-9b41-6a1c2d3e4f50"
BUYER = "user-1"
PRODUCER_ID, PRODUCER_KEY_ID, EVENT_KEY = (
    "3b9d1c52-7c0f-4c1e-9a53-0c8f2d7b6a11",
    "5a7e9c11-2b3d-4f5a-8c7e-1f2a3b4c5d6e",
    "till-7-2026-02-10",
)
EVENT_ID = ids.derived("event", f"{PRODUCER_ID}:{EVENT_KEY}")
REGISTRAR, CONSUMER_KEY = "admin-1", "ledger-2026-02-10"
CONSUMER_ID = ids.derived("consumer", f"{REGISTRAR}\n{CONSUMER_KEY}")
REPLAY_ID = "019c47a9-bd80-7c3e-9b1d-2f6a8e4c0d51"
# An event that the consumer has fetched: its lease is over.
FETCHED = "3a0d5c9e-1111-4a4a-8b8b-000000000004"
_LEASE = ("AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a", "1770726896000", "1770726926000")

# What has to have happened before a sample makes sense: other samples, some of them told of the other warehouse.
ELSEWHERE = " elsewhere"
STOCKED = ("stock/create_warehouse", "stock/create_variant", "stock/create_stock_event")
ORDERED = (*STOCKED, "orders/create_order")
RESERVED = (*ORDERED, "order_saga/reserve_stock")
CHARGED = (*RESERVED, "order_saga/charge_payment")
SOLD = (*CHARGED, "order_saga/complete_order")
IMPORTED = (*STOCKED[:2], "stock/import_stock_events", "stock/record_import")
UNDONE = (*CHARGED, "order_saga/fail_order", "order_saga/refund_payment", "order_saga/release_stock")
BEFORE: dict[str, tuple[str, ...]] = {
    "identity/log_in": ("identity/register",),
    "identity/list_service_tokens": ("identity/create_service_token",),
    "stock/create_stock_event": STOCKED[:2],
    "stock/create_stock_transfer": (*STOCKED, f"stock/create_warehouse{ELSEWHERE}"),
    "stock/get_levels": STOCKED,
    "stock/list_warehouses": STOCKED,
    "stock/get_warehouse": STOCKED,
    "stock/change_warehouse": STOCKED,
    "stock/list_warehouse_levels": STOCKED,
    "stock/set_reorder_point": STOCKED,
    "stock/clear_reorder_point": (*STOCKED, "stock/set_reorder_point"),
    "stock/name_seller": STOCKED,
    "stock/remove_seller": STOCKED,
    "stock/list_variants": STOCKED,
    "stock/get_variant": STOCKED,
    "stock/change_variant": STOCKED,
    "stock/list_stock_events": STOCKED,
    "stock/import_stock_events": STOCKED[:2],
    "stock/get_import": IMPORTED,
    "stock/record_import": IMPORTED[:-1],
    "stock/resume_imports": IMPORTED[:-1],
    "stock/get_stock_event": SOLD,
    "stock/export_stock_events": STOCKED,
    "stock/follow_ledger": (*SOLD, "stock/set_reorder_point"),
    "stock/audit_stock": STOCKED,
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
    "eventflow/route_events": ORDERED,
    "eventflow/get_event": ("eventflow/accept_event",),
    "eventflow/erase_payload": ("eventflow/accept_event",),
    "eventflow/get_schema": ("eventflow/register_schema",),
    "eventflow/get_event_type": ("eventflow/register_schema",),
    "eventflow/list_event_types": ("eventflow/register_schema",),
}

_REGISTERED = ("eventflow/create_consumer",)
_DEAD = (*_REGISTERED, "eventflow/route_events", "eventflow/keep_dead_letters")
BEFORE |= (
    dict.fromkeys((f"eventflow/{each}_consumer" for each in ("get", "change", "pause", "resume", "delete")), _REGISTERED)
    | dict.fromkeys((f"eventflow/{each}" for each in ("acknowledge_events", "return_events", "extend_leases")), _REGISTERED)
    | dict.fromkeys((f"eventflow/{each}_dead_letter" for each in ("redrive", "discard")), _DEAD)
    | dict.fromkeys(("eventflow/list_dead_letters", "eventflow/redrive_dead_letters"), _DEAD)
    | dict.fromkeys((f"eventflow/{each}_replay" for each in ("create", "get", "stop", "run")), _REGISTERED)
    | {"eventflow/list_replays": (*_REGISTERED, "eventflow/create_replay")}
    | {"eventflow/list_consumers": _REGISTERED, "eventflow/keep_dead_letters": _REGISTERED}
    | {"eventflow/fetch_events": (*ORDERED, *_REGISTERED, "eventflow/route_events")}
)

type Json = dict[str, Any]


def ack(event_id: str, consumer_id: str) -> str:
    """Return the token of the lease that the samples speak of: of an event that *consumer_id* has fetched."""
    return paging.token((event_id, *_LEASE), ("ack", consumer_id))


def names() -> dict[str, str]:
    """Return every sample (`<context>/<function>`) by its function's logical id."""
    return {logical_id(path.stem): f"{path.parent.name}/{path.stem}" for path in sorted(EVENTS.glob("*/*.json"))}


def logical_id(function: str) -> str:
    """Return what the template calls a function, e.g. CreateOrderFunction."""
    return "".join(map(str.title, function.split("_"))) + "Function"


def sample(name: str) -> Json:
    """Return the sample event of a function, e.g. `orders/create_order`."""
    event: Json = json.loads(text_of(name))
    return event


def text_of(name: str) -> str:
    """Return a sample as it is kept; with `ELSEWHERE` behind its name, told of the other warehouse."""
    text = path_of(function_of(name)).read_text()
    return text.replace(WAREHOUSE, OTHER_WAREHOUSE) if name.endswith(ELSEWHERE) else text


def function_of(name: str) -> str:
    """Return the function that a sample is of, wherever it is told of."""
    return name.removesuffix(ELSEWHERE)


def path_of(name: str) -> Path:
    """Return where a sample event is kept."""
    return EVENTS / f"{name}.json"
