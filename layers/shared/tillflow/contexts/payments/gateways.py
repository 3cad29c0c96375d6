"""Which gateway this stack charges through: `PAYMENT_GATEWAY` is `sandbox` or `stripe`."""

import re
from functools import cache

from botocore.exceptions import ClientError

from tillflow.contexts.payments import tables
from tillflow.contexts.payments.gateway import Gateway, GatewayFault
from tillflow.contexts.payments.retrying import Retrying
from tillflow.runtime import aws, secrets
from tillflow.runtime.config import setting

# An attempt at Stripe is up to seven calls (an undoing that meets a charge under way) of 10 s, and its outcome is committed.
_STRIPE_SECONDS = 70 + aws.LONGEST_CALL_SECONDS
_SANDBOX_SECONDS = 2 * aws.LONGEST_CALL_SECONDS

# A secret key or a restricted one (https://docs.stripe.com/keys): publishable ones may not charge.
_API_KEY = re.compile(r"(?:sk|rk)_(?:live|test)_\w+", re.ASCII)


def gateway() -> Gateway:
    """
    Return the stack's gateway, with retries in front. Neither adapter is imported where the other is used.

    Raises:
        GatewayFault: Stripe is to be used, and its secret cannot be read, or is no API key.
    """
    if setting("PAYMENT_GATEWAY") != "stripe":
        return _sandbox()
    try:
        secret = secrets.current("STRIPE_SECRET_ARN")
    # AccessDenied is also what Secrets Manager says of an ARN that is not whole.
    except (LookupError, ClientError) as error:
        raise GatewayFault(
            f"The secret that StripeSecretArn names cannot be read ({error}): deploy with its whole ARN, which ends in a hyphen "
            "and six characters (aws secretsmanager describe-secret), and StripeKmsKeyArn where a key of yours encrypts it."
        ) from error
    return _stripe(secret)


@cache
def _stripe(secret: bytes) -> Gateway:
    key = secret.decode(errors="replace").strip()  # what was put there from a file has a newline
    if not _API_KEY.fullmatch(key):
        raise GatewayFault(
            "The secret that StripeSecretArn names is no API key of Stripe's: put a version whose plain text is the key and "
            "nothing else (sk_live_… or rk_live_…; sk_test_… to try it), no JSON and no quotes."
        )
    from tillflow.contexts.payments.stripe_gateway import StripeGateway

    return Retrying(StripeGateway(key), per_attempt=_STRIPE_SECONDS)


@cache
def _sandbox() -> Gateway:
    from tillflow.contexts.payments.sandbox import SandboxGateway

    return Retrying(SandboxGateway(aws.client("dynamodb"), tables.sandbox_charges()), per_attempt=_SANDBOX_SECONDS)


def forget() -> None:
    """Drop the cached adapters (tests change what they talk to)."""
    _stripe.cache_clear()
    _sandbox.cache_clear()
