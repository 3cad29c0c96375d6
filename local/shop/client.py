"""The HTTP API, as a shop's own services call it."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from local import LocalError

type Json = dict[str, Any]

# A function's first call on the emulator starts a Python and imports everything.
TIMEOUT_SECONDS = 30


class TryAgain(LocalError):
    """The answer was a 5xx, or none came."""


@dataclass(frozen=True)
class Level:
    """A variant's stock, over all warehouses."""

    on_hand: int
    reserved: int


@dataclass(frozen=True)
class Client:
    """The API at *http*'s base URL, called with the credential in its headers."""

    http: httpx.Client

    def issue_token(self, user_id: str, roles: list[str]) -> str:
        """Return a bearer token for *user_id*; needs the service token."""
        body = {"userId": user_id, "roles": roles, "ttlSeconds": 3600}
        return str(self._call("POST", "/api/auth/token", body).json()["token"])

    def log_in(self, email: str, password: str) -> str:
        """Return an access token of the user who has this password."""
        return str(self._call("POST", "/v1/auth/login", {"email": email, "password": password}).json()["access_token"])

    def create_warehouse(self, code: str, name: str) -> str:
        """Return the new warehouse's id."""
        return str(self._call("POST", "/api/v1/warehouses", {"code": code, "name": name}).json()["id"])

    def create_variant(self, sku: str, name: str) -> str:
        """Return the new variant's id."""
        body = {"sku": sku, "name": name, "active": True, "expiresAt": None}
        return str(self._call("POST", "/api/v1/variants", body).json()["id"])

    def receive_stock(self, warehouse_id: str, variant_ids: list[str], quantity: int) -> None:
        """Record *quantity* units of each variant as bought from a supplier."""
        lines = [{"variantId": variant_id, "quantity": quantity} for variant_id in variant_ids]
        body = {"type": "INBOUND", "warehouseId": warehouse_id, "reasonCode": "PURCHASE", "lines": lines}
        self._call("POST", "/api/v1/stock-events", body, {"Idempotency-Key": str(uuid4())})

    def reshard(self, variant_id: str, shards: int) -> None:
        """Count the variant's units in so many shards from now on."""
        merge_patch = {"Content-Type": "application/merge-patch+json"}
        self._call("PATCH", f"/api/v1/variants/{variant_id}", {"shards": shards}, merge_patch)

    def level(self, variant_id: str) -> Level:
        """Return how many units of the variant there are."""
        items = self._call("GET", f"/api/v1/variants/{variant_id}/levels").json()["items"]
        return Level(sum(item["onHand"] for item in items), sum(item["reserved"] for item in items))

    def place_order(self, snapshot: Json, *, key: str, trace_id: str, payment_token: str) -> httpx.Response:
        """Order a cart; return the response, for its status tells a new order (201) from a replay (200)."""
        headers = {"Idempotency-Key": key, "X-Trace-Id": trace_id}
        return self._call("POST", "/api/orders", {"cartSnapshot": snapshot, "paymentToken": payment_token}, headers)

    def order(self, order_id: str) -> Json:
        """Return the order."""
        return dict(self._call("GET", f"/api/orders/{order_id}").json())

    def cancel(self, order_id: str, reason: str) -> None:
        """Cancel the order; what follows of it goes on under the order's trace."""
        self._call("POST", f"/api/orders/{order_id}/cancel", {"reason": reason})

    def _call(self, method: str, path: str, body: Json | None = None, headers: dict[str, str] | None = None) -> httpx.Response:
        try:
            response = self.http.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise TryAgain(f"{method} {path} was not answered ({error!r}): is the stack up? `make up`") from error
        if not response.is_success:
            refused = TryAgain if response.is_server_error else LocalError
            raise refused(f"{method} {path} was answered {response.status_code}: {response.text}")
        return response


def connect(api_url: str, credential: dict[str, str]) -> Client:
    """Return a client that sends *credential* (one header) with every request."""
    return Client(httpx.Client(base_url=api_url, headers=credential, timeout=TIMEOUT_SECONDS))
