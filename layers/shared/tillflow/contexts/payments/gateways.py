"""Which gateway this stack charges through: `PAYMENT_GATEWAY` is `sandbox` or `stripe`."""

from functools import cache

from tillflow.contexts.payments import tables
from tillflow.contexts.payments.gateway import Gateway
from tillflow.contexts.payments.retrying import Retrying
from tillflow.runtime import aws, secrets
from tillflow.runtime.config import setting

# An attempt at Stripe is up to seven calls (an undoing that meets a charge under way) of 10 s, and its outcome is committed.
_STRIPE_SECONDS = 70 + aws.LONGEST_CALL_SECONDS
_SANDBOX_SECONDS = 2 * aws.LONGEST_CALL_SECONDS


def gateway() -> Gateway:
    """Return the stack's gateway, with retries in front. Neither adapter is imported where the other is used."""
    if setting("PAYMENT_GATEWAY") == "stripe":
        return _stripe(secrets.current("STRIPE_SECRET_ARN"))
    return _sandbox()


@cache
def _stripe(key: bytes) -> Gateway:
    from tillflow.contexts.payments.stripe_gateway import StripeGateway

    return Retrying(StripeGateway(key.decode()), per_attempt=_STRIPE_SECONDS)


@cache
def _sandbox() -> Gateway:
    from tillflow.contexts.payments.sandbox import SandboxGateway

    return Retrying(SandboxGateway(aws.client("dynamodb"), tables.sandbox_charges()), per_attempt=_SANDBOX_SECONDS)


def forget() -> None:
    """Drop the cached adapters (tests change what they talk to)."""
    _stripe.cache_clear()
    _sandbox.cache_clear()
