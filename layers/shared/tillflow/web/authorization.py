"""
Who may do what: every role's scopes and every route's demand, in one page.

A route that is not here cannot be served (`http.Api` looks it up), and the test matrix is made from these tables.
Ownership (my order, my warehouse) is for the function to check; this page says who may knock.
"""

from enum import StrEnum


class Role(StrEnum):
    """The roles a token can carry."""

    BUYER = "buyer"
    SELLER = "seller"
    MANAGER = "manager"
    OPERATOR = "operator"
    ADMIN = "admin"
    SERVICE = "service"


# A route that anyone may call, and one that any valid credential may.
PUBLIC = "public"
AUTHENTICATED = "authenticated"

SCOPES: dict[Role, frozenset[str]] = {
    Role.BUYER: frozenset(),
    Role.SELLER: frozenset({"stock:history", "stock:read", "stock:write"}),
    Role.MANAGER: frozenset({"catalog:write", "stock:audit", "stock:history", "stock:read", "stock:write"}),
    Role.OPERATOR: frozenset({"orders:write", "stock:read", "stock:audit"}),
    Role.ADMIN: frozenset(
        {"catalog:write", "orders:write", "stock:audit", "stock:history", "stock:read", "stock:write", "tokens:issue"}
    ),
    Role.SERVICE: frozenset({"tokens:issue"}),
}

ROUTES: dict[str, str] = {
    "GET /": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /docs": PUBLIC,
    "POST /api/auth/token": "tokens:issue",
    "POST /api/auth/introspect": "tokens:issue",
    "POST /api/orders": AUTHENTICATED,
    "POST /orders": AUTHENTICATED,
    "GET /api/orders": AUTHENTICATED,
    "GET /orders": AUTHENTICATED,
    "GET /api/orders/{orderId}": AUTHENTICATED,
    "GET /orders/{orderId}": AUTHENTICATED,
    "POST /api/orders/{orderId}/cancel": "orders:write",
    "POST /orders/{orderId}/cancel": "orders:write",
    "POST /api/v1/warehouses": "catalog:write",
    "GET /api/v1/warehouses": "stock:read",
    "GET /api/v1/warehouses/{id}": "stock:read",
    "PATCH /api/v1/warehouses/{id}": "catalog:write",
    "GET /api/v1/warehouses/{id}/levels": "stock:read",
    "PUT /api/v1/warehouses/{id}/levels/{variantId}/reorder-point": "stock:write",
    "DELETE /api/v1/warehouses/{id}/levels/{variantId}/reorder-point": "stock:write",
    "PUT /api/v1/warehouses/{id}/sellers/{userId}": "catalog:write",
    "DELETE /api/v1/warehouses/{id}/sellers/{userId}": "catalog:write",
    "POST /api/v1/variants": "catalog:write",
    "GET /api/v1/variants": "stock:read",
    "GET /api/v1/variants/{id}": "stock:read",
    "PATCH /api/v1/variants/{id}": "catalog:write",
    "POST /api/v1/stock-events": "stock:write",
    "POST /api/v1/stock-transfers": "stock:write",
    "GET /api/v1/stock-events": "stock:history",
    "GET /api/v1/stock-events/{id}": "stock:history",
    "GET /api/v1/stock-events/export": "stock:history",
    "POST /api/v1/stock-events/import": "stock:write",
    "GET /api/v1/imports/{id}": "stock:write",
    "GET /api/v1/variants/{id}/levels": "stock:read",
    "GET /api/stocks/release-events": "stock:audit",
    "GET /api/stocks/release-events/export": "stock:audit",
}

# The headers whose credential a demand's routes take, in lower case; a bearer token alone where nothing is said.
CREDENTIALS: dict[str, tuple[str, ...]] = {"tokens:issue": ("authorization", "x-service-token")}


def credentials_of(route: str) -> tuple[str, ...]:
    """Return the headers that a request of *route* may carry its credential in."""
    return CREDENTIALS.get(ROUTES.get(route, PUBLIC), ("authorization",))


def scopes_of(roles: tuple[str, ...]) -> frozenset[str]:
    """Return every scope that *roles* carry together."""
    return frozenset().union(*(SCOPES[Role(role)] for role in roles if role in SCOPES))
