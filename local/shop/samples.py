"""
The sample events (events/) for a stack that runs: with ids, times, tokens and signatures of their own.

The samples tell one story (events/README.md), in which ids follow from what they stand for. Told anew, everything has
another name, the same in each sample; what must have happened before a sample makes sense has happened on the stack.
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

from local import ROOT, STATE, LocalError
from local.platform import container
from local.platform.stack import Stack
from local.process import aside
from local.shop import cart
from local.shop.client import connect
from local.shop.story import PLACED
from local.watch import trace
from tillflow.values import ids

EVENTS = ROOT / "events"
EVENT = ".local/event.json"  # where README.md has `make event` write to

# The story as the samples tell it.
AT = datetime(2026, 2, 10, 12, 34, 56, tzinfo=UTC)
SKU, WAREHOUSE = "LAPTOP-X-RED-256", "WH-SAO-01"
SNAPSHOT_ID, TRACE_ID = "0c7a3c0a-6c1f-4e0b-9d8e-5b7f6a2d1e90", "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11"
ORDER_ID = ids.derived("order", SNAPSHOT_ID)
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
CREATES_ORDER, STEPS = "orders/create_order", "order_saga/"

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MOMENT = r"2026-02-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
_REFUSED = 300

type Json = dict[str, Any]


def names() -> dict[str, str]:
    """Return every sample (`<context>/<function>`) by its function's logical id."""
    return {logical_id(path.stem): f"{path.parent.name}/{path.stem}" for path in sorted(EVENTS.glob("*/*.json"))}


def logical_id(function: str) -> str:
    """Return what the template calls a function, e.g. CreateOrderFunction."""
    return "".join(map(str.title, function.split("_"))) + "Function"


def show(stack: Stack, function: str) -> None:
    """
    Print a fresh event for *function*, by its logical id, and how to use it.

    Raises:
        LocalError: there is no such function, or what must have happened before could not.
    """
    if function not in (known := names()):
        raise LocalError(f"{function} is none of " + ", ".join(known))
    print(json.dumps(fresh(stack, known[function]), indent=2, ensure_ascii=False))
    aside.print(f"sam {' '.join(container.invocation(function, EVENT, STATE))}")
    if not container.reaches(stack.endpoint_url):
        aside.print("Docker's containers do not reach this emulator: `make down`, then `TILLFLOW_HOST=docker make up`")


def fresh(stack: Stack, name: str) -> Json:
    """
    Return an event for the function *name* on *stack*, where what it takes for granted has happened.

    Raises:
        LocalError: an earlier function of the story did not answer as it must.
    """
    told = Retold(stack)
    for earlier in BEFORE.get(name, ()):
        # Who plays the saga's part must find the order as it was placed.
        if earlier == CREATES_ORDER and (name.startswith(STEPS) or any(each.startswith(STEPS) for each in BEFORE[name])):
            with _without_saga(stack, told.words[TRACE_ID]):
                invoke(stack, earlier, told.event(earlier))
                trace.events(stack, told.words[TRACE_ID], PLACED)
        else:
            invoke(stack, earlier, told.event(earlier))
    return told.event(name)


def invoke(stack: Stack, name: str, event: Json) -> Json:
    """
    Return what the deployed function *name* answers to *event*.

    Raises:
        LocalError: it failed, refused, or left a message of a batch.
    """
    function = stack.functions[logical_id(name.partition("/")[2])]["FunctionName"]
    answer = stack.aws.awslambda.invoke(FunctionName=function, Payload=json.dumps(event))
    said: Json = json.loads(answer["Payload"].read()) or {}
    if "FunctionError" in answer or said.get("statusCode", 0) >= _REFUSED or said.get("batchItemFailures"):
        raise LocalError(f"{name} answered {said}")
    return said


class Retold:
    """The story with *words* of its own: each that a sample has, by the one that stands in its place."""

    def __init__(self, stack: Stack) -> None:
        run, self._now, self._stack = uuid4().hex[:8].upper(), datetime.now(UTC), stack
        sku, warehouse, snapshot_id = f"LAPTOP-{run}", f"WH-{run}", str(uuid4())
        self.words = {
            SKU: sku,
            WAREHOUSE: warehouse,
            SNAPSHOT_ID: snapshot_id,
            TRACE_ID: str(uuid4()),
            ORDER_ID: ids.derived("order", snapshot_id),
            ids.derived("variant", SKU): ids.derived("variant", sku),
            ids.derived("warehouse", WAREHOUSE): ids.derived("warehouse", warehouse),
            SERVICE_TOKEN: stack.service_token,
        }

    def event(self, name: str) -> Json:
        """Return the sample *name*, told anew."""
        event: Json = json.loads(self._told((EVENTS / f"{name}.json").read_text()))
        for headers, value in (("headers", str), ("multiValueHeaders", lambda key: [key])):
            if "Idempotency-Key" in event.get(headers, {}):
                event[headers]["Idempotency-Key"] = value(self.words[TRACE_ID])
        if "cartSnapshot" in (event.get("body") or ""):
            event["body"] = self._signed(event["body"])
        for record in event.get("Records", []):
            if "dynamodb" in record:
                outbox = record["dynamodb"]["NewImage"]["outbox"]
                told = self._told(zlib.decompress(base64.b64decode(outbox["B"])).decode())
                outbox["B"] = base64.b64encode(zlib.compress(told.encode())).decode()
            else:
                record["md5OfBody"] = hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
        return event

    def _told(self, text: str) -> str:
        if TOKEN in text:
            self.words.setdefault(TOKEN, self._token)
        known = "|".join(map(re.escape, self.words))
        return re.sub(f"{known}|{_UUID}|{_MOMENT}", lambda found: self._word(found[0]), text)

    def _word(self, word: str) -> str:
        if re.fullmatch(_MOMENT, word):
            moved = datetime.fromisoformat(word) + (self._now - AT)
            return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self.words.setdefault(word, str(uuid4()))

    @cached_property
    def _token(self) -> str:
        return connect(self._stack.api_url, {"X-Service-Token": self._stack.service_token}).issue_token(BUYER, ["buyer"])

    def _signed(self, body: str) -> str:
        order = json.loads(body)
        unsigned = {name: value for name, value in order["cartSnapshot"].items() if name != "signature"}
        order["cartSnapshot"]["signature"] = cart.signature(unsigned, self._stack.cart_snapshot_secret)
        return json.dumps(order)


@contextmanager
def _without_saga(stack: Stack, trace_id: str) -> Iterator[None]:
    """Keep the saga from starting for one trace; what is left of this after a crash concerns no other."""
    events, bus = stack.aws.events, stack.event_bus
    (rule,) = events.list_rule_names_by_target(TargetArn=stack.state_machines[trace.SAGA], EventBusName=bus)["RuleNames"]
    pattern = events.describe_rule(Name=rule, EventBusName=bus)["EventPattern"]
    narrowed = json.loads(pattern)
    narrowed.setdefault("detail", {})["trace_id"] = [{"anything-but": [trace_id]}]
    events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps(narrowed))
    try:
        yield
    finally:
        events.put_rule(Name=rule, EventBusName=bus, EventPattern=pattern)
