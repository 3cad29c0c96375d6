"""
Fresh events for a stack that runs: the samples told anew, with ids, times, tokens and signatures of their own.

Ids follow from what they stand for. So everything has another name, the same in each sample, and what must have happened
before a sample makes sense has happened on the stack.
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
from uuid import uuid4

from local import STATE, LocalError
from local.platform import container, keys
from local.platform.stack import Stack
from local.process import aside
from local.shop import cart, people, samples
from local.shop.client import connect
from local.shop.samples import BEFORE, TRACE_ID, Json, text_of
from local.shop.story import PLACED
from local.watch import trace
from tillflow.values import ids

EVENT = ".local/event.json"  # where README.md has `make event` write to
CREATES_ORDER, STEPS = "orders/create_order", "order_saga/"
CREATES_MACHINE = "identity/create_service_token"
CREATES_PRODUCER, CREATES_REPLAY = "eventflow/create_producer", "eventflow/create_replay"

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MOMENT = r"2026-02-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
_REFUSED = 300


def show(stack: Stack, function: str) -> None:
    """
    Print a fresh event for *function*, by its logical id, and how to use it.

    Raises:
        LocalError: there is no such function, or what must have happened before could not.
    """
    if function not in (known := samples.names()):
        raise LocalError(f"{function} is none of " + ", ".join(known))
    print(json.dumps(event(stack, known[function]), indent=2, ensure_ascii=False))
    aside.print(f"sam {' '.join(container.invocation(function, EVENT, STATE))}")
    if not container.reaches(stack.endpoint_url):
        aside.print("Docker's containers do not reach this emulator: `make down`, then `TILLFLOW_HOST=docker make up`")


def event(stack: Stack, name: str) -> Json:
    """
    Return an event for the function *name* on *stack*, where what it takes for granted has happened.

    Raises:
        LocalError: an earlier function of the story did not answer as it must.
    """
    told = Retold(stack)
    for earlier in BEFORE.get(name, ()):
        # Who plays the saga's part must find the order as it was placed.
        if earlier == CREATES_ORDER and plays_saga(name):
            with _without_saga(stack, told.words[TRACE_ID]):
                invoke(stack, earlier, told.event(earlier))
                trace.events(stack, told.words[TRACE_ID], PLACED)
        else:
            invoke(stack, earlier, told.event(earlier))
    fresh = told.event(name)
    if people.is_of_one(name, fresh):
        return people.move_in(stack, name, told.word(people.USER_ID), told.word(people.SESSION_ID), fresh)
    return fresh


def plays_saga(name: str) -> bool:
    """Tell whether a function is a step of the saga, or comes after one in the story."""
    return any(each.startswith(STEPS) for each in (name, *BEFORE.get(name, ())))


def invoke(stack: Stack, name: str, payload: Json) -> Json:
    """
    Return what the deployed function *name* answers to the event *payload*.

    Raises:
        LocalError: it failed, refused, or left a message of a batch.
    """
    said: Json = stack.invoke(samples.logical_id(samples.function_of(name).partition("/")[2]), payload) or {}
    if said.get("statusCode", 0) >= _REFUSED or said.get("batchItemFailures"):
        raise LocalError(f"{name} answered {said}")
    return said


class Retold:
    """The story with *words* of its own: each that a sample has, by the one that stands in its place."""

    def __init__(self, stack: Stack) -> None:
        run, self._now, self._stack = uuid4().hex[:8].upper(), datetime.now(UTC), stack
        sku, warehouse, other, snapshot_id = f"LAPTOP-{run}", f"WH-{run}", f"WH-{run}-2", str(uuid4())
        self.words = {
            samples.SKU: sku,
            samples.WAREHOUSE: warehouse,
            samples.OTHER_WAREHOUSE: other,
            samples.SNAPSHOT_ID: snapshot_id,
            TRACE_ID: str(uuid4()),
            samples.ORDER_ID: ids.derived("order", snapshot_id),
            samples.VARIANT_ID: ids.derived("variant", sku),
            samples.WAREHOUSE_ID: ids.derived("warehouse", warehouse),
            samples.OTHER_WAREHOUSE_ID: ids.derived("warehouse", other),
            samples.SERVICE_TOKEN: stack.service_token,
        }

    def event(self, name: str) -> Json:
        """Return the sample *name*, told anew."""
        event: Json = json.loads(self._told(text_of(name)))
        for headers, value in (("headers", str), ("multiValueHeaders", lambda key: [key])):
            if "Idempotency-Key" in (event.get(headers) or ()):
                event[headers]["Idempotency-Key"] = value(ids.derived("key", f"{self.words[TRACE_ID]} {event['body']}"))
        if "cartSnapshot" in (event.get("body") or ""):
            event["body"] = self._signed(event["body"])
        for record in event.get("Records", []):
            if "dynamodb" in record:
                for packed in (each for each in record["dynamodb"]["NewImage"].values() if "B" in each):
                    told = self._told(zlib.decompress(base64.b64decode(packed["B"])).decode())
                    packed["B"] = base64.b64encode(zlib.compress(told.encode())).decode()
            else:
                record["md5OfBody"] = hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
        return event

    def _told(self, text: str) -> str:
        if samples.TOKEN in text:
            self.words.setdefault(samples.TOKEN, self._token)
        if samples.ACCESS_KEY_SECRET in text:
            self.words.setdefault(samples.ACCESS_KEY_SECRET, self._stack.variables(keys.ROTATES)["ACCESS_KEY_SECRET_ARN"])
        if samples.MACHINE_ID in text:
            self.words.setdefault(samples.MACHINE_ID, self._machine_id)
        if samples.EVENT_ID in text:
            self.words.setdefault(samples.EVENT_ID, self._event_id)
        if samples.REPLAY_ID in text:
            self.words.setdefault(samples.REPLAY_ID, self._replay_id)
        if samples.PRODUCER_ID in text:
            self.words.setdefault(samples.PRODUCER_ID, self._producer["producer_id"])
        if samples.PRODUCER_KEY_ID in text:
            self.words.setdefault(samples.PRODUCER_KEY_ID, self._producer["key_id"])
        if samples.IMPORT_ID in text:
            self.words.setdefault(samples.IMPORT_ID, self._import_id)
        if samples.CONSUMER_ID in text:
            self.words.setdefault(samples.CONSUMER_ID, self._consumer_id)
            fetched = samples.ack(self.word(samples.FETCHED), self.words[samples.CONSUMER_ID])
            self.words.setdefault(samples.ack(samples.FETCHED, samples.CONSUMER_ID), fetched)
        known = "|".join(map(re.escape, self.words))
        return re.sub(f"{known}|{_UUID}|{_MOMENT}", lambda found: self.word(found[0]), text)

    def word(self, word: str) -> str:
        """Return what stands in the place of a *word* of the samples."""
        if re.fullmatch(_MOMENT, word):
            moved = datetime.fromisoformat(word) + (self._now - samples.AT)
            return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self.words.setdefault(word, str(uuid4()))

    @cached_property
    def _import_id(self) -> str:
        """An import's id follows from who sent it under which key."""
        key = self.event("stock/import_stock_events")["headers"]["Idempotency-Key"]
        return ids.derived("import", f"{samples.IMPORTER}\n{key}")

    @cached_property
    def _consumer_id(self) -> str:
        """So does a consumer's."""
        key = self.event("eventflow/create_consumer")["headers"]["Idempotency-Key"]
        return ids.derived("consumer", f"{samples.REGISTRAR}\n{key}")

    @cached_property
    def _replay_id(self) -> str:
        made = invoke(self._stack, CREATES_REPLAY, self.event(CREATES_REPLAY))
        return str(json.loads(made["body"])["replay_id"])

    @cached_property
    def _machine_id(self) -> str:
        made = invoke(self._stack, CREATES_MACHINE, self.event(CREATES_MACHINE))
        return str(json.loads(made["body"])["id"])

    @cached_property
    def _producer(self) -> Json:
        made: Json = json.loads(invoke(self._stack, CREATES_PRODUCER, self.event(CREATES_PRODUCER))["body"])
        return made

    @cached_property
    def _event_id(self) -> str:
        """An event's id follows from who sent it under which key."""
        key = self.event("eventflow/accept_event")["headers"]["Idempotency-Key"]
        return ids.derived("event", f"{self._producer['producer_id']}:{key}")

    @cached_property
    def _token(self) -> str:
        return connect(self._stack.api_url, {"X-Service-Token": self._stack.service_token}).issue_token(samples.BUYER, ["buyer"])

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
