"""An HTTP client that does what clients should: while it gets no answer or a 5xx, it sends the same request again."""

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

import pytest
import rfc8785

from tests.faults.wire import Gone
from tests.faults.world import CART_SECRET, World
from tests.world import http_event
from tillflow.values import clock, ids

_ATTEMPTS = 10

type Line = tuple[str, int, int]  # SKU, quantity, unit price in cents


class Refused(Exception):
    """The answer is a 4xx: *status* and *body*."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


class AlreadyThere(Refused):
    """It is a 409."""


def send(
    world: World,
    route: str,
    body: dict[str, Any] | str,
    *,
    role: str,
    path: dict[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    key: str | None = None,
    user: str | None = None,
    session_id: str | None = None,
    told: dict[str, str] | None = None,
) -> dict[str, Any]:
    """
    Send one request as a *user* who has *role*, and return the answer's body. A text is sent as a CSV file.

    Raises:
        Refused: it is a 4xx.
    """
    headers = ({"Idempotency-Key": key} if key else {}) | ({"Content-Type": "text/csv"} if isinstance(body, str) else {})
    who = user or f"a-{role}"
    parts: dict[str, Any] = {"path": path, "query": query, "session_id": session_id, "told": told}
    event = http_event(route, user=who, roles=[role], body=body, headers=headers, **parts)
    for _ in range(_ATTEMPTS):
        try:
            answer = world.invoke(world.wiring.routes[route], event)
        except Gone:
            continue  # API Gateway answers 502.
        if answer["statusCode"] < HTTPStatus.INTERNAL_SERVER_ERROR:
            break
    else:
        pytest.fail(f"{route} was not answered in {_ATTEMPTS} attempts")
    said: dict[str, Any] = json.loads(answer["body"] or "{}")
    if answer["statusCode"] == HTTPStatus.CONFLICT:
        raise AlreadyThere(answer["statusCode"], said)
    if answer["statusCode"] >= HTTPStatus.BAD_REQUEST:
        raise Refused(answer["statusCode"], said)
    return said


def cart(name: str, lines: list[Line], *, user: str = "a-buyer", at: datetime | None = None, **odd: Any) -> dict[str, Any]:
    """
    Return the signed snapshot of the cart *name*; the same name is the same snapshot, and so the same order.

    It is of the moment *at* (default: now); what is *odd* about it was so when it was signed.
    """
    unsigned: dict[str, Any] = {
        "snapshotId": ids.derived("snapshot", name),
        "cartId": ids.derived("cart", name),
        "cartVersion": 1,
        "currency": "EUR",
        "items": [
            {"skuId": sku, "title": f"A {sku}", "quantity": quantity, "unitPriceCents": price} for sku, quantity, price in lines
        ],
        "totals": {
            "itemCount": len(lines),
            "totalQuantity": sum(quantity for _, quantity, _ in lines),
            "subtotalCents": sum(quantity * price for _, quantity, price in lines),
            "currency": "EUR",
        },
        "createdAt": clock.iso(at or clock.now()),
        "userId": user,
        **odd,
    }
    return unsigned | {"signature": hmac.digest(CART_SECRET.encode(), rfc8785.dumps(unsigned), "sha256").hex()}


def place(world: World, lines: list[Line], *, token: str | None = None, name: str = "cart") -> str:
    """Order what is in the cart *name*, and return the order's id."""
    body = {"cartSnapshot": cart(name, lines), "paymentToken": token}
    return str(send(world, "POST /api/orders", body, role="buyer", key=f"key of {name}")["orderId"])


def cancel(world: World, order_id: str) -> None:
    """Cancel the order; where that was done before the answer was lost, it is refused the second time."""
    route, body = "POST /api/orders/{orderId}/cancel", {"reason": "changed my mind"}
    try:
        send(world, route, body, role="operator", path={"orderId": order_id})
    except AlreadyThere as refused:
        if refused.body["order"]["status"] != "canceled":
            raise


def move_stock(world: World, kind: str, warehouse: str, lines: dict[str, int], *, key: str | None) -> None:
    """Record a stock event of *lines* (units by SKU) in the warehouse with this code."""
    body = {
        "type": kind,
        "warehouseId": ids.derived("warehouse", warehouse),
        "lines": [{"variantId": ids.derived("variant", sku), "quantity": quantity} for sku, quantity in lines.items()],
    }
    send(world, "POST /api/v1/stock-events", body, role="admin", key=key)
