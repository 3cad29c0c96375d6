"""What Stripe's errors mean in the gateway's terms. Their texts may hold a key or a token: none is passed on."""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from tillflow.contexts.payments.gateway import CardDeclined, GatewayFault, GatewayUnavailable, KeyReused

INVALID_TOKEN = "invalid_payment_token"
_AMOUNT_REFUSALS = {"amount_too_large", "amount_too_small"}
# A creation names one thing that may be missing or used up: the payment token.
_TOKEN_REFUSALS = {"resource_missing", "token_already_used"}


@contextmanager
def in_our_terms() -> Iterator[None]:
    """
    Raise the gateway's errors for the SDK's.

    Raises:
        CardDeclined: the issuer refused, with its decline code or else Stripe's error code.
        GatewayUnavailable: no answer, 5xx, throttled, or the key is in use at this moment (409).
        KeyReused: the idempotency key was used with other parameters.
        GatewayFault: everything else, e.g. a wrong API key.
    """
    try:
        yield
    except stripe.CardError as error:
        raise CardDeclined(decline_reason(error.error)) from None
    except (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError) as error:
        raise GatewayUnavailable(_described(error)) from None
    except stripe.IdempotencyError as error:
        raise KeyReused(_described(error)) from None
    except stripe.StripeError as error:
        raise GatewayFault(_described(error)) from None


def decline_reason(error: "stripe.ErrorObject | stripe.PaymentIntent.LastPaymentError | None") -> str:
    """Return why the issuer declined (`authentication_required` where it asks for 3-D Secure)."""
    # Stripe leaves out of `last_payment_error` what it does not know.
    return getattr(error, "decline_code", None) or getattr(error, "code", None) or "card_declined"


def refusal(error: stripe.CardError | stripe.InvalidRequestError) -> str | None:
    """Return why the customer's own input let the creation of an intent fail, or None where the fault is ours."""
    if isinstance(error, stripe.CardError):
        return decline_reason(error.error)
    if error.code in _AMOUNT_REFUSALS:
        return str(error.code)
    about_token = error.code in _TOKEN_REFUSALS or (error.param or "").startswith("payment_method")
    return INVALID_TOKEN if about_token else None


def _described(error: stripe.StripeError) -> str:
    code, param = (error.error.code, error.error.param) if error.error else (None, None)
    kind = type(error).__name__
    return f"Stripe: {kind}, HTTP {error.http_status}, code {code}, parameter {param}, request {error.request_id}."
