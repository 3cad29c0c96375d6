"""Place one order of the demo over HTTP, follow it to its end, and hold the end against the story."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from httpx import codes

from local import LocalError
from local.shop import cart
from local.shop.client import Client, Level
from local.shop.shop import Article, Shop
from local.shop.story import Story, Then
from local.wait import until
from local.watch import trace
from local.watch.trace import Event

PRICE_CENTS = 2_499
SECONDS = 30
NO_ORDER = "-"


@dataclass
class Outcome:
    """What became of an order, as far as the demo came with it."""

    story: Story
    order_id: str = NO_ORDER
    status: str = "-"
    path: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    before: Level | None = None
    after: Level | None = None
    step: str = ""
    failure: str | None = None


def play(shop: Shop, story: Story, article: Article, show: Callable[[str], None]) -> Outcome:
    """Let *story* happen with *article*; *show* is told of each step."""
    outcome = Outcome(story)

    def at(step: str) -> None:
        outcome.step = step
        show(step)

    try:
        _happen(shop, outcome, article, at)
        at("compare")
        _compare(outcome)
    except (LocalError, BotoCoreError, ClientError) as error:
        outcome.failure = f"{outcome.step}: {error}"
    return outcome


def _happen(shop: Shop, outcome: Outcome, article: Article, at: Callable[[str], None]) -> None:
    story = outcome.story
    item = {"skuId": article.sku, "title": "Desk lamp", "quantity": story.quantity, "unitPriceCents": PRICE_CENTS}
    snapshot = cart.snapshot(shop.buyer_id, [item], shop.stack.cart_snapshot_secret)
    request: dict[str, Any] = {"key": str(uuid4()), "trace_id": str(uuid4()), "payment_token": story.card}
    started = datetime.now(UTC)
    at("read the stock before")
    outcome.before = shop.manager.level(article.variant_id)
    at("place the order")
    placed = shop.buyer.place_order(snapshot, **request)
    outcome.order_id = placed.json()["orderId"]
    if placed.status_code != codes.CREATED:
        raise LocalError(f"a new order was answered {placed.status_code}, must be 201")
    if story.then is Then.REPLAY:
        at("place it again with the same key")
        again = shop.buyer.place_order(snapshot, **request)
        replayed = again.headers.get("x-idempotent-replay")
        if (again.status_code, replayed, again.json()["orderId"]) != (200, "true", outcome.order_id):
            raise LocalError(f"not a replay: {again.status_code}, x-idempotent-replay: {replayed}, {again.text}")
    at("wait for the saga to end")
    outcome.path = trace.saga_path(shop.stack, outcome.order_id, since=started, runs=1)
    if story.then is Then.CANCEL:
        at("cancel the order")
        shop.operator.cancel(outcome.order_id, "customer_request")
        at("wait for the saga to undo it")
        outcome.path = trace.saga_path(shop.stack, outcome.order_id, since=started, runs=2)
    at("wait for the events")
    outcome.events = trace.events(shop.stack, request["trace_id"], story.events)
    at("wait for the stock to settle")
    outcome.after = _settled(shop.manager, article, replace(outcome.before, on_hand=outcome.before.on_hand - story.sold))
    at("read the order")
    outcome.status = shop.buyer.order(outcome.order_id)["status"]


def _settled(manager: Client, article: Article, expected: Level) -> Level:
    """Wait until the stock is as *expected*; it follows the saga's end, and a cancellation, by events."""
    level = expected

    def reached() -> Level | None:
        nonlocal level
        level = manager.level(article.variant_id)
        return level if level == expected else None

    try:
        return until(reached, seconds=SECONDS, what=f"{expected}")
    except LocalError as error:
        raise LocalError(f"{error}; it is {level}") from None


def _compare(outcome: Outcome) -> None:
    story = outcome.story
    for name, is_, must_be in (
        ("status", outcome.status, story.status),
        ("saga path", outcome.path, story.path),
        ("events", Counter(event.type for event in outcome.events), Counter(story.events)),
    ):
        if is_ != must_be:
            raise LocalError(f"{name} is {is_}, must be {must_be}")
