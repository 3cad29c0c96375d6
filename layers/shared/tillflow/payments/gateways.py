"""Which gateway this stack charges through: `PAYMENT_GATEWAY` is `sandbox` or `stripe`."""

from functools import cache

from tillflow import aws, secrets, tables
from tillflow.config import setting
from tillflow.payments.gateway import Gateway
from tillflow.payments.retrying import Retrying


@cache
def gateway() -> Gateway:
    """Return the stack's gateway, with retries in front. Neither adapter is imported where the other is used."""
    if setting("PAYMENT_GATEWAY") == "stripe":
        from tillflow.payments.stripe_gateway import StripeGateway

        # One attempt at Stripe is two calls, of up to 3 s to connect and 10 s to read each.
        return Retrying(StripeGateway(secrets.current("STRIPE_SECRET_ARN").decode()), per_attempt=26)
    from tillflow.payments.sandbox import SandboxGateway

    return Retrying(SandboxGateway(aws.client("dynamodb"), tables.sandbox_charges()))
