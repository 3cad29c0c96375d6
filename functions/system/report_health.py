"""GET /, /healthz and /readyz: liveness, health, and whether the tables answer."""

from tillflow import database, tables
from tillflow.http import Api, Request
from tillflow.idempotency import Reply

SERVICE = "tillflow"

api = Api()


@api.route("GET /", "GET /healthz")
def report_liveness(_request: Request) -> dict[str, object]:
    """Answer that the process runs."""
    return {"service": SERVICE, "status": "ok"}


@api.route("GET /readyz")
def report_readiness(_request: Request) -> Reply:
    """Answer 200 when every table an order needs answers, else 503; either way which ones do."""
    needed = {
        "orders": tables.orders,
        "stock": tables.stock,
        "payments": tables.payments,
        "idempotency": tables.idempotency,
    }
    checks = {name: "ok" if database.is_described(table()) else "unavailable" for name, table in needed.items()}
    ready = set(checks.values()) == {"ok"}
    return Reply(200 if ready else 503, {"service": SERVICE, "status": "ok" if ready else "unavailable", "checks": checks})


handler = api.handler
