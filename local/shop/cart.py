"""Signed cart snapshots, as the cart service sends them with an order."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import rfc8785

CURRENCY = "USD"


def snapshot(user_id: str, items: list[dict[str, Any]], secret: str) -> dict[str, Any]:
    """
    Return the snapshot of a new cart, signed with the *secret* that carts and orders share.

    Each of *items* is `{"skuId", "title", "quantity", "unitPriceCents"}`.
    """
    unsigned = {
        "snapshotId": str(uuid4()),
        "cartId": str(uuid4()),
        "cartVersion": 1,
        "currency": CURRENCY,
        "items": items,
        "totals": {
            "itemCount": len(items),
            "totalQuantity": sum(item["quantity"] for item in items),
            "subtotalCents": sum(item["quantity"] * item["unitPriceCents"] for item in items),
            "currency": CURRENCY,
        },
        "createdAt": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "userId": user_id,
    }
    return unsigned | {"signature": signature(unsigned, secret)}


def signature(unsigned: dict[str, Any], secret: str) -> str:
    """Return the hex HMAC-SHA256 of the snapshot's canonical JSON (RFC 8785)."""
    return hmac.new(secret.encode(), rfc8785.dumps(unsigned), hashlib.sha256).hexdigest()
