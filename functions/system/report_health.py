"""GET /, /healthz and /readyz: liveness, health, and whether the tables answer."""

from typing import Literal, TypedDict

from tillflow.contexts.orders.tables import order_key, orders
from tillflow.contexts.payments.tables import payment_key, payments
from tillflow.contexts.stock.tables import stock, warehouse_key
from tillflow.storage import readiness
from tillflow.storage.idempotency import Reply
from tillflow.storage.tables import idempotency, idempotency_key
from tillflow.web.http import Api
from tillflow.web.request import Request

SERVICE = "tillflow"
# What is read of each table: nobody has put it there, and this function may read nothing else (template.yaml).
_PROBE = "readiness"


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
    """Answer 200 when every table an order needs answers, else 503; either way which did in the last five seconds."""
    answers = readiness.check(
        {
            "orders": (orders(), order_key(_PROBE)),
            "stock": (stock(), warehouse_key(_PROBE)),
            "payments": (payments(), payment_key(_PROBE)),
            "idempotency": (idempotency(), idempotency_key(_PROBE)),
        }
    )
    checks = {name: "ok" if answered else "unavailable" for name, answered in answers.items()}
    ready = set(checks.values()) == {"ok"}
    return Reply(200 if ready else 503, {"service": SERVICE, "status": "ok" if ready else "unavailable", "checks": checks})


handler = api.handler
