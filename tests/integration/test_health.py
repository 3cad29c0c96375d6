"""The stack says whether it lives, is well, and can reach every table that an order needs."""

import pytest

from tests.integration.scene import Scene


@pytest.mark.parametrize("path", ["/", "/healthz"])
def test_anybody_may_ask_whether_the_service_lives(scene: Scene, path: str) -> None:
    answer = scene.anonymous.get(path)
    assert (answer.status_code, answer.json()) == (200, {"service": "tillflow", "status": "ok"})


def test_readiness_names_every_table_that_an_order_needs(scene: Scene) -> None:
    answer = scene.anonymous.get("/readyz")
    assert answer.status_code == 200
    checks = dict.fromkeys(("orders", "stock", "payments", "idempotency"), "ok")
    assert answer.json() == {"service": "tillflow", "status": "ok", "checks": checks}
