"""
The Stripe gateway: PaymentIntents on the official SDK. Only it and `stripe_errors` import that SDK.

A charge has two phases, so that it can be undone without a search:

    charge   create an unconfirmed intent   Idempotency-Key: <key>:create
             confirm it                     Idempotency-Key: <key>:confirm
    cancel   create it again: Stripe answers with the first intent, or makes one that is never confirmed;
             then refund it in full         Idempotency-Key: <key>:refund
             or cancel it

An intent is paid at most once, whoever confirms it. Three facts of Stripe shape the code:

* a repeated call gets the *saved* answer (header `Idempotent-Replayed`), which tells of the intent as it was
  then: after a replay the intent is read again before anything is decided;
* keys are forgotten after a day. An undecided charge must be settled before that; one that is known is
  undone by its reference (the intent's id);
* a saved answer may be a 500, and then that call stays unavailable for the day. For `confirm` that is no harm:
  compensation reads the intent and refunds or cancels it. Nothing is charged by `create`.

Source: https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/payments/paymentintents/lifecycle
"""

import logging
from typing import TYPE_CHECKING, cast

import stripe

from tillflow.contexts.payments.gateway import (
    CardDeclined,
    Charge,
    ChargeCanceled,
    ChargeRequest,
    GatewayFault,
    GatewayUnavailable,
)
from tillflow.contexts.payments.stripe_errors import INVALID_TOKEN, decline_reason, in_our_terms, refusal

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams

# Seconds to connect and to wait for an answer. The SDK's own default is 80; Stripe ends most calls within a few.
_TIMEOUTS = (2.0, 8.0)
# An intent may be paid between our look at it and our canceling it, once: a third look means something else is wrong.
_LOOKS = 3

# At DEBUG the SDK logs whole requests, at INFO Stripe's error texts: both hold payment tokens.
logging.getLogger("stripe").setLevel(logging.WARNING)


class StripeGateway:
    """
    A `Gateway` on Stripe, with the secret *api_key* and no global state.

    *api_base* and *http_client* are for tests. The SDK's own retries are off: wrap this in `Retrying`.
    Card tokens (`tok_…`) and payment methods (`pm_…`) are payment tokens; anything else is declined.
    A payment that needs the customer (3-D Secure) is declined: `authentication_required`.
    """

    def __init__(self, api_key: str, *, api_base: str | None = None, http_client: stripe.HTTPClient | None = None) -> None:
        self._stripe = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base} if api_base else None,
            http_client=http_client or stripe.RequestsClient(timeout=_TIMEOUTS),
            max_network_retries=0,
        ).v1

    def charge(self, request: ChargeRequest) -> Charge:
        """
        Charge once under `request.key`; the charge's reference is its PaymentIntent's id.

        Raises:
            CardDeclined: the issuer refused (its decline code), or the token or amount is none that Stripe takes.
            ChargeCanceled: `cancel` came first, or the payment was refunded in full.
            KeyReused: the key was used with other parameters within a day.
            GatewayUnavailable: no answer, throttled, 5xx, or still in progress.
            GatewayFault: Stripe refuses our credentials or the request itself.
        """
        with in_our_terms():
            intent = self._create(request)
            if _is_replay(intent):
                intent = self._retrieve(intent.id)
            if intent.status == "requires_confirmation":
                intent = self._confirm(intent.id, request.key)
            return _outcome(intent)

    def cancel(self, request: ChargeRequest, reference: str | None = None) -> Charge | None:
        """
        Refund what was charged under `request.key` in full, or cancel its intent so that it never is.

        Without a *reference* the other fields of *request* must be those of the charge.

        Raises:
            GatewayUnavailable: no answer, throttled, 5xx, or the payment is still in progress.
            GatewayFault: Stripe refuses our credentials or the request itself, or the refund failed.
        """
        with in_our_terms():
            if reference is None:
                try:
                    reference = self._create(request).id
                except CardDeclined:
                    return None  # Stripe took no such intent, so nothing can have been charged.
            return self._undo(reference, request)

    def _create(self, request: ChargeRequest) -> stripe.PaymentIntent:
        """Return the one unconfirmed intent of `request.key`, perhaps as Stripe saved its creation."""
        try:
            return self._stripe.payment_intents.create(_creation(request), {"idempotency_key": f"{request.key}:create"})
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            if reason := refusal(error):
                raise CardDeclined(reason) from None  # the text beneath holds the token
            raise

    def _retrieve(self, intent_id: str) -> stripe.PaymentIntent:
        return self._stripe.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]})

    def _confirm(self, intent_id: str, key: str) -> stripe.PaymentIntent:
        try:
            # The saga runs without the customer: a payment that asks for 3-D Secure must fail, not wait.
            return self._stripe.payment_intents.confirm(intent_id, {"off_session": True}, {"idempotency_key": f"{key}:confirm"})
        except stripe.InvalidRequestError:
            intent = self._retrieve(intent_id)
            if intent.status == "requires_confirmation":
                raise
            return intent  # It was canceled or confirmed since we looked.

    def _undo(self, intent_id: str, request: ChargeRequest) -> Charge | None:
        for _ in range(_LOOKS):
            intent = self._retrieve(intent_id)
            if intent.status == "canceled":
                return None
            if intent.status == "succeeded":
                if not _is_refunded(intent):
                    self._refund(intent, request)
                return _charge_of(intent)
            if intent.status == "processing":
                break
            try:
                # No key of ours: cancel changes state once by itself, and a saved refusal would outlive its reason.
                self._stripe.payment_intents.cancel(intent_id)
            except stripe.InvalidRequestError:
                continue  # It was confirmed since we looked.
            return None
        raise GatewayUnavailable(f"Payment intent {intent_id} is in progress and cannot be undone yet.")

    def _refund(self, intent: stripe.PaymentIntent, request: ChargeRequest) -> None:
        try:
            refund = self._stripe.refunds.create(
                {"payment_intent": intent.id, "metadata": _metadata(request)},
                {"idempotency_key": f"{request.key}:refund"},
            )
        except stripe.InvalidRequestError as error:
            if error.code != "charge_already_refunded":
                raise
            return
        if refund.status in ("failed", "canceled"):
            raise GatewayFault(f"Refund {refund.id} of payment intent {intent.id} {refund.status}: refund it by hand.")


def _creation(request: ChargeRequest) -> "PaymentIntentCreateParams":
    parameters: dict[str, object] = {
        "amount": request.amount,
        "currency": request.currency.lower(),
        # A method that settles in days could neither be awaited nor undone by the saga.
        "allowed_payment_method_types": ["card"],
        "metadata": _metadata(request),
    }
    token = request.payment_token
    if token.startswith("pm_"):
        parameters["payment_method"] = token
    elif token.startswith("tok_"):
        parameters["payment_method_data"] = {"type": "card", "card": {"token": token}}
    else:
        raise CardDeclined(INVALID_TOKEN)
    return cast("PaymentIntentCreateParams", parameters)  # the SDK's types leave `card` out, Stripe takes it


def _metadata(request: ChargeRequest) -> dict[str, str]:
    return {"order_id": request.order_id, "key": request.key}


def _outcome(intent: stripe.PaymentIntent) -> Charge:
    """Return what the intent's present state means to whoever charges, or raise it."""
    match intent.status:
        case "succeeded" if not _is_refunded(intent):
            return _charge_of(intent)
        case "succeeded" | "canceled":
            raise ChargeCanceled(f"Payment intent {intent.id} was canceled or refunded.")
        case "requires_action":
            raise CardDeclined("authentication_required")
        case "requires_payment_method":
            raise CardDeclined(decline_reason(intent.last_payment_error))
    raise GatewayUnavailable(f"Payment intent {intent.id} is in progress: {intent.status}.")


def _charge_of(intent: stripe.PaymentIntent) -> Charge:
    return Charge(reference=intent.id, amount=intent.amount, currency=intent.currency.upper())


def _is_replay(intent: stripe.PaymentIntent) -> bool:
    """Tell whether this is the saved answer to an earlier call with the same idempotency key."""
    response = intent.last_response
    return response is not None and response.headers.get("Idempotent-Replayed") == "true"


def _is_refunded(intent: stripe.PaymentIntent) -> bool:
    """Tell whether the intent, as `_retrieve` returns it, was refunded in full."""
    return isinstance(intent.latest_charge, stripe.Charge) and intent.latest_charge.refunded
