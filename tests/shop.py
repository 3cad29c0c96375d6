"""What tests need before their own story begins: signed carts, shelves with stock, orders."""

import json
from typing import Any
from uuid import uuid4

from local.shop import cart
from tests.world import CART_SNAPSHOT_SECRET, Answer, World
from tillflow.contexts.stock import catalog
from tillflow.contexts.stock.models import VariantFields
from tillflow.messaging.envelope import Cause
from tillflow.values import ids

WAREHOUSE = "WH-1"
CAUSE = Cause("manager-1", ("manager",), "trace-1")


def line(sku: str = "SKU-1", quantity: int = 1, cents: int = 1990) -> dict[str, Any]:
    """Return one line of a cart."""
    return {"skuId": sku, "title": f"Title of {sku}", "quantity": quantity, "unitPriceCents": cents}


def signed_cart(
    *lines: dict[str, Any], user: str = "user-1", secret: str = CART_SNAPSHOT_SECRET, **changes: Any
) -> dict[str, Any]:
    """Return a new cart's snapshot, signed after *changes* were made to it."""
    unsigned = cart.snapshot(user, list(lines or (line(),)), secret) | changes
    del unsigned["signature"]
    return unsigned | {"signature": cart.signature(unsigned, secret)}


def place(world: World, snapshot: object, *, key: str | None = None, route: str = "POST /api/orders", **parts: Any) -> Answer:
    """Send a snapshot as `user-1`, under a new idempotency key unless one is given; *parts* as in `World.call`."""
    body = {"cartSnapshot": snapshot} | parts.pop("body", {})
    headers = {"Idempotency-Key": key or str(uuid4())} | parts.pop("headers", {})
    return world.call(route, body=body, headers=headers, **parts)


def order(world: World, *lines: dict[str, Any], **body: Any) -> str:
    """Place an order and return its id."""
    answer = place(world, signed_cart(*lines), body=body)
    assert answer.status == 201, answer
    return str(answer.json["orderId"])


def warehouse(world: World, code: str = WAREHOUSE, sellers: tuple[str, ...] = ()) -> str:
    """Return the id of a warehouse, which is created if it does not exist."""
    world.call("POST /api/v1/warehouses", roles=["manager"], body={"code": code, "name": code, "sellerIds": list(sellers)})
    return ids.derived("warehouse", code)


def variant(world: World, sku: str = "SKU-1", **fields: Any) -> str:
    """Return the id of a variant, which is created if it does not exist."""
    world.call("POST /api/v1/variants", roles=["manager"], body={"sku": sku, "name": sku} | fields)
    return ids.derived("variant", sku)


def reshard(sku: str, number: int) -> None:
    """Count a variant's units in so many shards from now on, and spread them."""
    patch = {"shards": number}
    catalog.change_variant(
        ids.derived("variant", sku), lambda present: VariantFields.model_validate({**present, **patch}), lambda _: None, CAUSE
    )


def move(
    world: World, quantity: int, sku: str = "SKU-1", *, kind: str = "INBOUND", code: str = WAREHOUSE, **parts: Any
) -> Answer:
    """Record one movement of stock as a manager; warehouse and variant are created if they do not exist."""
    body = {
        "type": kind,
        "warehouseId": warehouse(world, code),
        "lines": [{"variantId": variant(world, sku), "quantity": quantity}],
    }
    return world.call(
        "POST /api/v1/stock-events", roles=parts.pop("roles", ["manager"]), body=body | parts.pop("body", {}), **parts
    )


def stock(world: World, units: int, sku: str = "SKU-1", code: str = WAREHOUSE) -> None:
    """Put units on the shelf."""
    answer = move(world, units, sku, code=code)
    assert answer.status == 201, answer


def levels(world: World, sku: str = "SKU-1") -> dict[str, tuple[int, int, int]]:
    """Return (on hand, reserved, available) by warehouse id, as the API tells them."""
    answer = world.call("GET /api/v1/variants/{id}/levels", roles=["manager"], path={"id": variant(world, sku)})
    return {each["warehouseId"]: (each["onHand"], each["reserved"], each["available"]) for each in answer.json["items"]}


def level(world: World, sku: str = "SKU-1") -> tuple[int, int, int]:
    """Return the same over all warehouses."""
    found = levels(world, sku).values()
    on_hand, reserved, available = (sum(each) for each in zip(*found, strict=True)) if found else (0, 0, 0)
    return on_hand, reserved, available


def text_of(body: dict[str, Any]) -> str:
    """Return *body* as JSON text, for tests that spoil it."""
    return json.dumps(body)
