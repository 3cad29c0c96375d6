"""What an event costs from its request to its acknowledgement, counted and priced for `make bench-cost`."""

import random
import string
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx

from local import LocalError
from local.bench import prices
from local.bench.calls import Metered
from local.platform.stack import Stack
from local.shop.client import TIMEOUT_SECONDS, connect
from local.wait import until

type Figures = dict[str, Decimal]

BATCHES, BATCH = 5, 100
# Noise: no payload is smaller when it is deflated.
PAYLOAD_CHARACTERS = 1_000
TO_ONE, TO_TWO = "to one consumer", "to two"
BUDGETS = [(TO_ONE, "$ per million", Decimal(8)), (TO_ONE, "write units to accept", Decimal(5))]
_DYNAMODB, _SQS = "dynamodb", "sqs"
_SECONDS = 120


def measure(stack: Stack, settled: Callable[[int], Metered]) -> dict[str, Figures]:
    """Return what an event of 1 KB costs that comes in a batch of a hundred, and goes to one or two consumers by the hundred."""
    _run(stack, consumers=1, batches=1)  # The first starts functions.
    found = {}
    for title, consumers in ((TO_ONE, 1), (TO_TWO, 2)):
        since = int(time.time() * 1000)
        requests = _run(stack, consumers, BATCHES)
        found[title] = _figures(settled(since), requests, BATCHES * BATCH)
    return found


def _run(stack: Stack, consumers: int, batches: int) -> int:
    """Send events and consume them; return how many requests that took."""
    token = connect(stack.api_url, {"X-Service-Token": stack.service_token}).issue_token("an-admin", ["admin"])
    with httpx.Client(base_url=stack.api_url, timeout=TIMEOUT_SECONDS) as http:
        admin, service = {"Authorization": f"Bearer {token}"}, {"X-Service-Token": stack.service_token}
        key = _made(http.post("/api/v1/producers", json={"name": "A bench"}, headers=admin))["api_key"]
        ask = {"name": "A bench", "subscribed_event_types": ["bench.*"], "ack": "manual"}
        made = [_made(http.post("/api/v1/consumers", json=ask, headers=service))["consumer_id"] for _ in range(consumers)]
        for _ in range(batches):
            _made(
                http.post(
                    "/api/v1/events/batch", json={"events": [_event() for _ in range(BATCH)]}, headers={"X-Api-Key": str(key)}
                )
            )
        asked = batches + sum(_consume(http, f"/api/v1/consumers/{each}", service, batches * BATCH) for each in made)
        for each in made:
            http.delete(f"/api/v1/consumers/{each}", headers=service).raise_for_status()
        return asked


def _consume(http: httpx.Client, consumer: str, headers: dict[str, str], events: int) -> int:
    """Fetch and acknowledge so many events, when they are there; return how many requests that took."""

    def there() -> bool | None:
        return int(_made(http.get(consumer, headers=headers))["backlog"]) >= events or None

    until(there, seconds=_SECONDS, what=f"{events} events in the consumer's queue")
    seen = requests = 0
    while seen < events:
        tokens = _made(http.get(f"{consumer}/events", params={"limit": BATCH}, headers=headers))["ack"]
        _made(http.post(f"{consumer}/ack", json={"ack": tokens}, headers=headers))
        seen, requests = seen + len(tokens), requests + 2
        if not tokens:
            raise LocalError(f"{events} events were in the consumer's queue; {seen} came")
    return requests


def _made(response: httpx.Response) -> dict[str, Any]:
    response.raise_for_status()
    return dict(response.json())


def _event() -> dict[str, object]:
    noise = "".join(random.choices(string.ascii_letters + string.digits, k=PAYLOAD_CHARACTERS))  # noqa: S311 - noise
    return {"event_type": "bench.sent", "event_version": 1, "payload": {"noise": noise}, "idempotency_key": noise[:32]}


_WAY = ("Authorize", "AcceptEvents", "PublishEvents", "RouteEvents", "FetchEvents", "AcknowledgeEvents")


def _figures(seen: Metered, requests: int, events: int) -> Figures:
    calls = [call for call in seen.calls if call.function in _WAY]
    ran = [function for function in seen.invocations if function in _WAY]
    writes = {call.function: Decimal(0) for call in calls}
    for call in calls:
        writes[call.function] += call.units if call.writes else 0
    each = Decimal(1) / events
    # The bus sends each event to the log's queue; a batch of ten is received and deleted there.
    queued = 1 + Decimal("0.2") + each * sum(call.service == _SQS for call in calls)
    figures: Figures = {
        "write units to accept": each * writes.get("AcceptEvents", Decimal(0)),
        "write units to route": each * writes.get("RouteEvents", Decimal(0)),
        "read units": each * sum(call.units for call in calls if call.service == _DYNAMODB and not call.writes),
        "queue requests": queued,
        "bus events": Decimal(1),
        "API requests": each * requests,
        "invocations": each * len(ran),
    }
    milliseconds = each * (prices.MILLISECONDS_PER_CALL * len(calls) + prices.MILLISECONDS_OF_PYTHON * len(ran))
    cost = prices.dollars
    dollars = (
        cost("DynamoDB write units", figures["write units to accept"] + figures["write units to route"])
        + cost("DynamoDB read units", figures["read units"])
        + cost("SQS requests", figures["queue requests"])
        + cost("EventBridge events", figures["bus events"])
        + cost("API Gateway requests (REST)", figures["API requests"])
        + cost("Lambda invocations", figures["invocations"])
        + cost("Lambda milliseconds", milliseconds)
        + cost("CloudWatch log bytes", each * sum(seen.log_bytes[name] for name in _WAY))
    )
    return figures | {"$ per million": dollars}
