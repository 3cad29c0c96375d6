"""GET /, /healthz and /readyz: liveness, health, and whether the tables answer."""

from typing import Literal, TypedDict

from tillflow.contexts.orders.tables import orders
from tillflow.contexts.payments.tables import payments
from tillflow.contexts.stock.tables import stock
from tillflow.storage import database
from tillflow.storage.idempotency import Reply
from tillflow.storage.tables import idempotency
from tillflow.web.http import Api
from tillflow.web.request import Request

SERVICE = "tillflow"


class Liveness(TypedDict):
    """The process runs."""

    service: str
    status: Literal["ok"]


class Readiness(TypedDict):
    """Whether every table an order needs answers, and which do."""

    service: str
    status: Literal["ok", "unavailable"]
    checks: dict[str, Literal["ok", "unavailable"]]


api = Api()


@api.route("GET /", "GET /healthz", answers={200: Liveness})
def report_liveness(_request: Request) -> dict[str, object]:
    """Answer that the process runs."""
    return {"service": SERVICE, "status": "ok"}


@api.route("GET /readyz", answers={200: Readiness, 503: Readiness})
def report_readiness(_request: Request) -> Reply:
    """Answer 200 when every table an order needs answers, else 503; either way which ones do."""
    needed = {
        "orders": orders,
        "stock": stock,
        "payments": payments,
        "idempotency": idempotency,
    }
    checks = {name: "ok" if database.is_described(table()) else "unavailable" for name, table in needed.items()}
    ready = set(checks.values()) == {"ok"}
    return Reply(200 if ready else 503, {"service": SERVICE, "status": "ok" if ready else "unavailable", "checks": checks})


handler = api.handler
