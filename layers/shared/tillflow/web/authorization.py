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


class ServiceScope(StrEnum):
    """The scopes that a service's own token can have: of the routes that take one."""

    TOKENS_ISSUE = "tokens:issue"
    TOKENS_INTROSPECT = "tokens:introspect"
    CONSUMERS_WRITE = "consumers:write"
    EVENTS_CONSUME = "events:consume"
    SCHEMAS_READ = "schemas:read"


class KeyScope(StrEnum):
    """The scopes that a producer's API key can have."""

    EVENTS_WRITE = "events:write"


# A route that anyone may call, and one that any valid credential may.
PUBLIC = "public"
AUTHENTICATED = "authenticated"

SCOPES: dict[Role, frozenset[str]] = {
    Role.BUYER: frozenset(),
    Role.SELLER: frozenset({"stock:history", "stock:read", "stock:write"}),
    Role.MANAGER: frozenset({"catalog:write", "stock:audit", "stock:history", "stock:read", "stock:write"}),
    Role.OPERATOR: frozenset({"events:read", "orders:write", "schemas:read", "stock:read", "stock:audit"}),
    Role.ADMIN: frozenset(
        {
            "catalog:write",
            "events:erase",
            "events:read",
            "machines:write",
            "orders:write",
            "producers:write",
            "schemas:write",
            "stock:audit",
            "stock:history",
            "stock:read",
            "stock:write",
            "users:read",
            "users:write",
            *ServiceScope,
        }
    ),
    Role.SERVICE: frozenset(ServiceScope),
}

ROUTES: dict[str, str] = {
    "GET /": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /.well-known/jwks.json": PUBLIC,
    "POST /api/auth/token": "tokens:issue",
    "POST /v1/auth/register": PUBLIC,
    "POST /v1/auth/email/verify": PUBLIC,
    "POST /v1/auth/login": PUBLIC,
    "POST /api/v1/auth/login": PUBLIC,
    "POST /v1/auth/mfa/verify": PUBLIC,
    "POST /v1/auth/mfa/totp": AUTHENTICATED,
    "POST /v1/auth/mfa/totp/confirm": AUTHENTICATED,
    "DELETE /v1/auth/mfa/totp": AUTHENTICATED,
    "POST /v1/auth/refresh": PUBLIC,
    "POST /v1/auth/logout": AUTHENTICATED,
    "POST /v1/auth/password": AUTHENTICATED,
    "POST /v1/auth/password/reset": PUBLIC,
    "POST /v1/auth/password/reset/confirm": PUBLIC,
    "GET /v1/auth/sessions": AUTHENTICATED,
    "DELETE /v1/auth/sessions/{id}": AUTHENTICATED,
    "GET /v1/users": "users:read",
    "GET /v1/users/me": AUTHENTICATED,
    "PATCH /v1/users/me": AUTHENTICATED,
    "GET /v1/users/{id}": AUTHENTICATED,
    "PUT /v1/users/{id}/roles": "users:write",
    "POST /v1/users/{id}/disable": "users:write",
    "POST /v1/users/{id}/enable": "users:write",
    "POST /api/auth/introspect": "tokens:introspect",
    "POST /v1/service-tokens": "machines:write",
    "GET /v1/service-tokens": "machines:write",
    "DELETE /v1/service-tokens/{id}": "machines:write",
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
    "GET /api/v1/health": PUBLIC,
    "POST /api/v1/producers": "producers:write",
    "GET /api/v1/producers": "producers:write",
    "GET /api/v1/producers/{id}": "producers:write",
    "PATCH /api/v1/producers/{id}": "producers:write",
    "POST /api/v1/producers/{id}/disable": "producers:write",
    "POST /api/v1/producers/{id}/enable": "producers:write",
    "POST /api/v1/producers/{id}/keys": "producers:write",
    "GET /api/v1/producers/{id}/keys": "producers:write",
    "DELETE /api/v1/producers/{id}/keys/{keyId}": "producers:write",
    "POST /api/v1/events": "events:write",
    "POST /api/v1/events/batch": "events:write",
    "GET /api/v1/events": "events:read",
    "GET /api/v1/events/{id}": "events:read",
    "DELETE /api/v1/events/{id}/payload": "events:erase",
    "POST /api/v1/consumers/{id}/replays": "consumers:write",
    "GET /api/v1/consumers/{id}/replays": "consumers:write",
    "GET /api/v1/consumers/{id}/replays/{replayId}": "consumers:write",
    "DELETE /api/v1/consumers/{id}/replays/{replayId}": "consumers:write",
    "GET /api/v1/event-types": "schemas:read",
    "GET /api/v1/event-types/{type}": "schemas:read",
    "GET /api/v1/event-types/{type}/versions/{version}": "schemas:read",
    "PUT /api/v1/event-types/{type}/versions/{version}": "schemas:write",
    "POST /api/v1/consumers": "consumers:write",
    "GET /api/v1/consumers": "consumers:write",
    "GET /api/v1/consumers/{id}": "consumers:write",
    "PATCH /api/v1/consumers/{id}": "consumers:write",
    "DELETE /api/v1/consumers/{id}": "consumers:write",
    "POST /api/v1/consumers/{id}/pause": "consumers:write",
    "POST /api/v1/consumers/{id}/resume": "consumers:write",
    "GET /api/v1/consumers/{id}/events": "events:consume",
    "POST /api/v1/consumers/{id}/ack": "events:consume",
    "POST /api/v1/consumers/{id}/nack": "events:consume",
    "POST /api/v1/consumers/{id}/extend": "events:consume",
    "GET /api/v1/consumers/{id}/dead-letters": "events:consume",
    "POST /api/v1/consumers/{id}/dead-letters/redrive": "events:consume",
    "POST /api/v1/consumers/{id}/dead-letters/{eventId}/redrive": "events:consume",
    "DELETE /api/v1/consumers/{id}/dead-letters/{eventId}": "events:consume",
}

# Routes that hurt: who calls is found anew each time, for what is kept may be a minute old (docs/adr/0009).
FRESH = frozenset(
    {
        "POST /api/orders/{orderId}/cancel",
        "POST /orders/{orderId}/cancel",
        "POST /v1/auth/logout",
        "POST /v1/auth/mfa/totp",
        "POST /v1/auth/mfa/totp/confirm",
        "DELETE /v1/auth/mfa/totp",
        "POST /v1/auth/password",
        "GET /v1/auth/sessions",
        "DELETE /v1/auth/sessions/{id}",
        "GET /v1/users",
        "PUT /v1/users/{id}/roles",
        "POST /v1/users/{id}/disable",
        "POST /v1/users/{id}/enable",
        # Whose warehouse it is.
        "PUT /api/v1/warehouses/{id}/sellers/{userId}",
        "DELETE /api/v1/warehouses/{id}/sellers/{userId}",
        "POST /v1/service-tokens",
        "GET /v1/service-tokens",
        "DELETE /v1/service-tokens/{id}",
        # Who may send events.
        "POST /api/v1/producers",
        "PATCH /api/v1/producers/{id}",
        "POST /api/v1/producers/{id}/disable",
        "POST /api/v1/producers/{id}/enable",
        "POST /api/v1/producers/{id}/keys",
        "DELETE /api/v1/producers/{id}/keys/{keyId}",
        # What people said is gone for good.
        "DELETE /api/v1/events/{id}/payload",
    }
)

# The headers whose credential a demand's routes take, in lower case; a bearer token alone where nothing is said.
CREDENTIALS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(ServiceScope, ("authorization", "x-service-token")),
    **dict.fromkeys(KeyScope, ("x-api-key",)),
}


def credentials_of(route: str) -> tuple[str, ...]:
    """Return the headers that a request of *route* may carry its credential in."""
    return CREDENTIALS.get(ROUTES.get(route, PUBLIC), ("authorization",))


def scopes_of(roles: tuple[str, ...]) -> frozenset[str]:
    """Return every scope that *roles* carry together."""
    return frozenset().union(*(SCOPES[Role(role)] for role in roles if role in SCOPES))
