"""The API as its clients see it: who calls, what there is to buy, and orders placed over HTTP."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

import httpx

from local.platform.stack import Stack
from local.shop import cart

# A function's first call on the emulator starts a Python and imports everything, on two cores that others use too.
TIMEOUT_SECONDS = 60
PRICE_CENTS = 1_250
ERROR_BODY = {"error", "error_code", "message", "detail", "request_id"}

type Json = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """Somebody with a token; *http* sends it with every request."""

    user_id: str
    http: httpx.Client

    def get(self, path: str, **params: str | int) -> httpx.Response:
        return self.http.get(path, params=params or None)

    def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Post *body* as JSON; *headers* by name with `_` for `-`."""
        return self.http.post(path, json=body, headers={name.replace("_", "-"): text for name, text in headers.items()})


@dataclass(frozen=True)
class Article:
    """A variant that is stocked in one warehouse."""

    sku: str
    variant_id: str
    warehouse_id: str


@dataclass(frozen=True)
class Order:
    """An order as it was placed, and how that was answered."""

    order_id: str
    trace_id: str
    buyer: Caller
    key: str
    body: Json
    response: httpx.Response


def unique(prefix: str) -> str:
    """Return a name that no other test uses."""
    return f"{prefix}-{uuid4().hex[:12]}"


def line(article: Article | str, quantity: int = 1, price: int = PRICE_CENTS) -> Json:
    """Return a cart's line: *quantity* of an article (or of any SKU) at *price* cents each."""
    sku = article if isinstance(article, str) else article.sku
    return {"skuId": sku, "title": "Desk lamp", "quantity": quantity, "unitPriceCents": price}


def refused(answer: httpx.Response, status: int) -> Json:
    """Return the error body of *answer*, which is a refusal with this status, in the one form that all have."""
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    # What stands in the way is named besides.
    assert body.keys() - {"order", "orderId", "id", "reasons"} == ERROR_BODY
    assert all(isinstance(body[name], str) for name in ERROR_BODY)
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


@dataclass
class Scene:
    """A shop on *stack*: everybody who may act in it. Each test buys articles of its own."""

    stack: Stack
    tokens: list[str] = field(default_factory=list)
    # What people typed, were mailed or were answered with: nothing of it may be told anywhere.
    secrets: list[str] = field(default_factory=list)

    @cached_property
    def anonymous(self) -> httpx.Client:
        return self.connect({})

    @cached_property
    def service(self) -> Caller:
        """An internal service."""
        return Caller("service", self.connect({"X-Service-Token": self.stack.service_token}))

    @cached_property
    def admin(self) -> Caller:
        return self.caller("admin")

    @cached_property
    def manager(self) -> Caller:
        return self.caller("manager")

    @cached_property
    def operator(self) -> Caller:
        return self.caller("operator")

    @cached_property
    def buyer(self) -> Caller:
        """A buyer, for tests that do not care which."""
        return self.caller("buyer")

    @cached_property
    def warehouse_id(self) -> str:
        """A warehouse, for tests that do not care which."""
        return self.warehouse()

    @cached_property
    def plenty(self) -> Article:
        """An article for tests that do not look at stock: there is always more of it."""
        return self.article(on_hand=1_000_000)

    def caller(self, *roles: str, user_id: str | None = None) -> Caller:
        """Return somebody new with *roles*."""
        user_id = user_id or unique(roles[0])
        return Caller(user_id, self.connect({"Authorization": f"Bearer {self.token(user_id, *roles)}"}))

    def token(self, user_id: str, *roles: str) -> str:
        answer = self.service.post("/api/auth/token", {"userId": user_id, "roles": roles, "ttlSeconds": 3600})
        assert answer.status_code == 200, answer.text
        self.tokens.append(answer.json()["token"])
        return self.tokens[-1]

    def connect(self, headers: dict[str, str]) -> httpx.Client:
        limits = httpx.Limits(max_connections=32)
        return httpx.Client(base_url=self.stack.api_url, headers=headers, timeout=TIMEOUT_SECONDS, limits=limits)

    def warehouse(self, sellers: tuple[str, ...] = ()) -> str:
        body = {"code": unique("WH"), "name": "Warehouse", "sellerIds": sellers}
        return str(_created(self.manager.post("/api/v1/warehouses", body))["id"])

    def variant(self, sku: str | None = None, **more: object) -> Article:
        """Return a new variant; it has no stock. *more* are `active` and `expiresAt`."""
        sku = sku or unique("SKU")
        made = _created(self.manager.post("/api/v1/variants", {"sku": sku, "name": "Desk lamp", **more}))
        return Article(sku, made["id"], self.warehouse_id)

    def article(self, on_hand: int = 10, sku: str | None = None) -> Article:
        """Return a new variant of which there are *on_hand* units."""
        article = self.variant(sku)
        _created(self.move(self.manager, "INBOUND", article, on_hand))
        return article

    def move(self, caller: Caller, kind: str, article: Article, quantity: int, **more: Any) -> httpx.Response:
        """Post a stock event of one line; *more* are fields of its body."""
        lines = [{"variantId": article.variant_id, "quantity": quantity}]
        return caller.post("/api/v1/stock-events", {"type": kind, "warehouseId": article.warehouse_id, "lines": lines} | more)

    def level(self, article: Article) -> tuple[int, int, int]:
        """Return the units on hand, reserved, and available."""
        answer = self.manager.get(f"/api/v1/variants/{article.variant_id}/levels")
        assert answer.status_code == 200, answer.text
        items = answer.json()["items"]
        on_hand, reserved, available = (sum(item[name] for item in items) for name in ("onHand", "reserved", "available"))
        return on_hand, reserved, available

    def cart(self, buyer: Caller, *lines: Json) -> Json:
        """Return a cart of *buyer*, signed."""
        return cart.snapshot(buyer.user_id, list(lines), self.stack.cart_snapshot_secret)

    def sign(self, snapshot: Json) -> Json:
        """Return *snapshot* with a new signature."""
        unsigned = {name: value for name, value in snapshot.items() if name != "signature"}
        return unsigned | {"signature": cart.signature(unsigned, self.stack.cart_snapshot_secret)}

    def order(self, *lines: Json, card: str = "tok_success", buyer: Caller | None = None) -> Order:
        """Place an order; it is pending, and its saga about to start."""
        buyer = buyer or self.buyer
        key, trace_id = unique("key"), str(uuid4())
        body = {"cartSnapshot": self.cart(buyer, *lines), "paymentToken": card}
        response = buyer.post("/api/orders", body, Idempotency_Key=key, X_Trace_Id=trace_id)
        assert response.status_code == 201, response.text
        return Order(response.json()["orderId"], trace_id, buyer, key, body, response)

    def read(self, order: Order) -> Json:
        answer = self.operator.get(f"/api/orders/{order.order_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def cancel(self, order: Order, reason: str = "customer_request") -> httpx.Response:
        return self.operator.post(f"/api/orders/{order.order_id}/cancel", {"reason": reason})


def _created(answer: httpx.Response) -> Json:
    assert answer.status_code == 201, answer.text
    return dict(answer.json())
