"""
The payment gateway port. Adapters: `sandbox` (charges kept in a table, Stripe-like test tokens) and
`stripe` (PaymentIntents on the official SDK).

An adapter's three promises, which the whole saga rests on:

* **one key, one charge**: `charge` with a *key* seen before never charges again. It returns the charge made
  then, or makes the one that was not;
* **unknown is not failed**: a timeout or a 5xx raises `GatewayUnavailable`, also when the charge may
  have happened, after the adapter's own retries within its time;
* **a cleared key stays clear**: `cancel` undoes whatever was charged under the key, in full, and is
  safe to repeat. Afterwards a late `charge` with the same key raises `ChargeCanceled` or
  returns a charge that another `cancel` undoes.
"""

from dataclasses import dataclass, field
from typing import Protocol

from tillflow.errors import StepRefused, TillflowError, Unavailable


class CardDeclined(StepRefused):
    """
    The issuer or the gateway refused the payment; nothing was charged.

    `reason` is the gateway's (e.g. `insufficient_funds`), or `invalid_payment_token` where the
    token names nothing that can be charged.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The card was declined: {reason}.")
        self.reason = reason


class ChargeCanceled(StepRefused):
    """The charge under this key was canceled or refunded; the key charges no more."""


class GatewayUnavailable(Unavailable):
    """The gateway failed or timed out; whether it charged is not known."""


class GatewayFault(TillflowError):
    """
    The gateway refuses the call itself: credentials, parameters. A person must look; never retried.

    Its text names the gateway's error code and request id, never a credential or a payment token.
    """


class KeyReused(GatewayFault):
    """The key was used before for another amount, currency or order; nothing was charged now."""


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """
    One charge: *amount* in minor units (cents, at least 1) of *currency* (ISO 4217, upper case),
    against the client's *payment_token*, under the idempotency *key* (at most 240 characters).
    *order_id* goes to the gateway as metadata.

    An empty *payment_token* means that the client sent none: the sandbox takes `tok_success`,
    Stripe declines. It is left out of `repr`, for a token must not come into a log.
    """

    key: str
    order_id: str
    amount: int
    currency: str
    payment_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge that happened: the gateway's *reference*, *amount* in minor units, *currency*."""

    reference: str
    amount: int
    currency: str


class Gateway(Protocol):
    """What the saga needs of a payment provider."""

    def charge(self, request: ChargeRequest) -> Charge:
        """
        Charge once under `request.key`.

        Raises:
            CardDeclined: the issuer refused; nothing was charged.
            ChargeCanceled: `cancel` came first.
            GatewayUnavailable: the outcome is unknown; call again with the same key.
            GatewayFault: the gateway refuses the call itself (`KeyReused`: the key is another charge's).
        """

    def cancel(self, request: ChargeRequest, reference: str | None = None) -> Charge | None:
        """
        Undo what was charged under `request.key`: void it, or refund it in full.

        Give the *reference* of the charge when it is known. A gateway remembers a key for a while
        (Stripe: a day), a charge for good: an order canceled later is refunded by its reference only.

        Returns:
            The charge that is undone (now or earlier), or None where there was none.

        Raises:
            GatewayUnavailable: the outcome is unknown; call again.
            GatewayFault: the gateway refuses the call itself.
        """
