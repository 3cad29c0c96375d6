"""Which gateway a stack charges through."""

import pytest

from tillflow.contexts.payments import gateways
from tillflow.runtime import secrets


def test_a_rotated_stripe_key_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENT_GATEWAY", "stripe")
    keys = [b"sk_one", b"sk_one", b"sk_two"]
    monkeypatch.setattr(secrets, "current", lambda _: keys.pop(0))

    first, again, rotated = (gateways.gateway() for _ in range(3))

    assert first is again
    assert rotated is not first
    gateways.forget()
