"""What the Stripe gateway makes of answers that localstripe never gives. Each is as Stripe documents it."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
import stripe
from requests.structures import CaseInsensitiveDict

from tillflow.contexts.payments.gateway import (
    CardDeclined,
    ChargeCanceled,
    ChargeRequest,
    GatewayFault,
    GatewayUnavailable,
    KeyReused,
)
from tillflow.contexts.payments.stripe_gateway import StripeGateway

REQUEST = ChargeRequest(key="order-1:1", order_id="order-1", amount=1250, currency="EUR", payment_token="tok_s3cr3t")
KEY = "sk_test_s3cr3t"

type Answer = tuple[int, dict[str, Any]]


@pytest.fixture(autouse=True)
def no_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's telemetry writes an id into the developer's home."""
    monkeypatch.setattr(stripe, "enable_telemetry", False)


class Canned(stripe.HTTPClient):
    """An HTTP client that gives one answer after another and keeps what it was asked."""

    name = "canned"

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[tuple[str, str, str | None]] = []

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        self.asked.append((f"{method} {url.split('/v1/')[1]}", str(post_data), (headers or {}).get("Idempotency-Key")))
        status, body = self.answers.pop(0)
        replayed = {"Idempotent-Replayed": "true"} if body.pop("replayed", False) else {}
        return json.dumps(body), status, CaseInsensitiveDict({"Request-Id": "req_1", **replayed})


def gateway(*answers: Answer) -> tuple[StripeGateway, Canned]:
    client = Canned(*answers)
    return StripeGateway(KEY, http_client=client), client


def intent(status: str, **fields: Any) -> Answer:
    return 200, {"object": "payment_intent", "id": "pi_1", "status": status, "amount": 1250, "currency": "eur"} | {
        "latest_charge": None,
        "last_payment_error": None,
    } | fields


def error(status: int, **fields: str) -> Answer:
    return status, {"error": {"message": f"No such token: 'tok_s3cr3t' for key {KEY}"} | fields}


CREATED = intent("requires_confirmation")
PAID = {"object": "charge", "id": "ch_1", "refunded": False}
NOT_FOUND = error(400, type="invalid_request_error", code="resource_missing", param="payment_method")


# --- what is sent ----------------------------------------------------------------------------------------------


def test_a_charge_sends_what_stripe_documents() -> None:
    charging, client = gateway(CREATED, intent("succeeded", latest_charge="ch_1"))

    charging.charge(REQUEST)

    create, confirm = client.asked
    assert create[0] == "post payment_intents"
    assert create[1].split("&") == [
        "amount=1250",
        "currency=eur",
        "allowed_payment_method_types[0]=card",
        "metadata[order_id]=order-1",
        "metadata[key]=order-1%3A1",
        "payment_method_data[type]=card",
        "payment_method_data[card][token]=tok_s3cr3t",
    ]
    assert create[2] == "order-1:1:create"
    assert confirm == ("post payment_intents/pi_1/confirm", "off_session=true", "order-1:1:confirm")


def test_a_cancel_repeats_the_very_same_creation() -> None:
    """Stripe compares parameters: a creation that differed would be refused instead of found."""
    charging, charged = gateway(CREATED, intent("succeeded"))
    charging.charge(REQUEST)
    canceling, canceled = gateway(CREATED, CREATED, intent("canceled"))
    canceling.cancel(REQUEST)

    assert canceled.asked[0] == charged.asked[0]


def test_a_zero_decimal_currency_is_sent_as_the_same_integer() -> None:
    charging, client = gateway(CREATED, intent("succeeded", amount=500, currency="jpy"))

    charge = charging.charge(ChargeRequest("k", "o", amount=500, currency="JPY", payment_token="pm_1"))

    assert client.asked[0][1].startswith("amount=500&currency=jpy&")
    assert (charge.amount, charge.currency) == (500, "JPY")


# --- what is answered to charge -----------------------------------------------------------------------------------


def test_the_issuers_own_reason_is_the_reason() -> None:
    charging, _ = gateway(CREATED, error(402, type="card_error", code="card_declined", decline_code="insufficient_funds"))

    with pytest.raises(CardDeclined) as refused:
        charging.charge(REQUEST)
    assert refused.value.reason == "insufficient_funds"


def test_a_decline_without_the_issuers_reason_has_stripes_code() -> None:
    charging, _ = gateway(CREATED, error(402, type="card_error", code="expired_card"))

    with pytest.raises(CardDeclined, match="expired_card"):
        charging.charge(REQUEST)


def test_an_issuer_that_asks_for_authentication_declines() -> None:
    charging, _ = gateway(CREATED, error(402, type="card_error", code="card_declined", decline_code="authentication_required"))

    with pytest.raises(CardDeclined, match="authentication_required"):
        charging.charge(REQUEST)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (NOT_FOUND, "invalid_payment_token"),
        (error(400, type="invalid_request_error", code="token_already_used"), "invalid_payment_token"),
        (error(400, type="invalid_request_error", param="payment_method_data[card]"), "invalid_payment_token"),
        (error(400, type="invalid_request_error", code="amount_too_small", param="amount"), "amount_too_small"),
        (error(400, type="invalid_request_error", code="amount_too_large", param="amount"), "amount_too_large"),
        (error(402, type="card_error", code="invalid_expiry_year"), "invalid_expiry_year"),
    ],
)
def test_a_creation_that_fails_by_the_customers_input_is_a_decline_and_nothing_to_undo(answer: Answer, reason: str) -> None:
    with pytest.raises(CardDeclined) as refused:
        gateway(answer)[0].charge(REQUEST)

    assert refused.value.reason == reason
    assert gateway(answer)[0].cancel(REQUEST) is None


UNKNOWN = [
    error(409, type="invalid_request_error", code="idempotency_key_in_use"),
    error(429, type="invalid_request_error", code="rate_limit"),
    error(429, type="invalid_request_error", code="lock_timeout"),
    error(500, type="api_error"),
    error(503, type="api_error"),
    (502, {"no": "error object"}),
    intent("processing"),
]


@pytest.mark.parametrize("answer", UNKNOWN, ids=lambda answer: str(answer[0]))
def test_an_answer_that_tells_no_outcome_is_unavailable(answer: Answer) -> None:
    charging, client = gateway(CREATED, answer)

    with pytest.raises(GatewayUnavailable):
        charging.charge(REQUEST)
    assert len(client.asked) == 2  # the SDK itself does not retry


def test_a_key_in_use_for_other_parameters_is_a_fault() -> None:
    charging, _ = gateway(error(400, type="idempotency_error"))

    with pytest.raises(KeyReused):
        charging.charge(REQUEST)


@pytest.mark.parametrize(
    "answer",
    [
        error(401, type="invalid_request_error"),
        error(403, type="invalid_request_error"),
        error(400, type="invalid_request_error", param="currency"),
        error(400, type="invalid_request_error", code="parameter_unknown", param="off_session"),
    ],
    ids=["wrong key", "not permitted", "unknown currency", "unknown parameter"],
)
def test_a_request_stripe_refuses_is_our_fault_and_its_text_stays_with_us(answer: Answer) -> None:
    with pytest.raises(GatewayFault, match="request req_1") as fault:
        gateway(answer)[0].charge(REQUEST)

    assert "s3cr3t" not in str(fault.value)
    assert fault.value.__cause__ is None
    assert fault.value.__suppress_context__


def test_a_confirmation_stripe_refuses_for_no_change_of_state_is_our_fault() -> None:
    charging, _ = gateway(CREATED, error(400, type="invalid_request_error", param="off_session"), CREATED)

    with pytest.raises(GatewayFault):
        charging.charge(REQUEST)


# --- replays: the saved answer is not the present state ---------------------------------------------------------


def replay() -> Answer:
    return intent("requires_confirmation", replayed=True)


def test_a_replayed_creation_of_a_paid_intent_is_not_confirmed_again() -> None:
    charging, client = gateway(replay(), intent("succeeded", latest_charge=PAID))

    assert charging.charge(REQUEST).reference == "pi_1"
    assert [asked[0] for asked in client.asked] == [
        "post payment_intents",
        "get payment_intents/pi_1?expand[0]=latest_charge",
    ]


def test_a_replayed_creation_of_an_unconfirmed_intent_is_confirmed() -> None:
    charging, client = gateway(replay(), CREATED, intent("succeeded"))

    assert charging.charge(REQUEST).reference == "pi_1"
    assert client.asked[-1][0] == "post payment_intents/pi_1/confirm"


@pytest.mark.parametrize(
    "state",
    [intent("canceled"), intent("succeeded", latest_charge=PAID | {"refunded": True})],
    ids=["canceled", "refunded"],
)
def test_a_replayed_creation_of_an_undone_intent_is_a_canceled_charge(state: Answer) -> None:
    with pytest.raises(ChargeCanceled):
        gateway(replay(), state)[0].charge(REQUEST)


def test_a_replayed_creation_of_a_declined_intent_is_the_same_decline() -> None:
    declined = intent("requires_payment_method", last_payment_error={"code": "card_declined", "decline_code": "fraudulent"})

    with pytest.raises(CardDeclined) as refused:
        gateway(replay(), declined)[0].charge(REQUEST)
    assert refused.value.reason == "fraudulent"


# --- cancel ------------------------------------------------------------------------------------------------------


def test_a_charge_refunded_by_hand_meanwhile_counts_as_undone() -> None:
    canceling, _ = gateway(
        intent("succeeded", latest_charge=PAID),
        error(400, type="invalid_request_error", code="charge_already_refunded"),
    )

    charge = canceling.cancel(REQUEST, "pi_1")

    assert charge is not None
    assert charge.reference == "pi_1"


def test_a_refund_has_the_charges_own_idempotency_key() -> None:
    canceling, client = gateway(
        intent("succeeded", latest_charge=PAID), (200, {"object": "refund", "id": "re_1", "status": "succeeded"})
    )

    canceling.cancel(REQUEST, "pi_1")

    assert client.asked[1] == (
        "post refunds",
        "payment_intent=pi_1&metadata[order_id]=order-1&metadata[key]=order-1%3A1",
        "order-1:1:refund",
    )


def test_a_refund_that_failed_calls_for_a_person() -> None:
    canceling, _ = gateway(intent("succeeded", latest_charge=PAID), (200, {"object": "refund", "id": "re_1", "status": "failed"}))

    with pytest.raises(GatewayFault, match="re_1 of payment intent pi_1 failed"):
        canceling.cancel(REQUEST, "pi_1")


def test_a_payment_in_progress_cannot_be_undone_yet() -> None:
    with pytest.raises(GatewayUnavailable, match="in progress"):
        gateway(intent("processing"))[0].cancel(REQUEST, "pi_1")


def test_an_intent_that_will_not_be_canceled_is_looked_at_three_times() -> None:
    refusal = error(400, type="invalid_request_error", code="payment_intent_unexpected_state")
    canceling, client = gateway(*[CREATED, refusal] * 3)

    with pytest.raises(GatewayUnavailable):
        canceling.cancel(REQUEST, "pi_1")
    assert len(client.asked) == 6


# --- secrets -----------------------------------------------------------------------------------------------------


def test_no_token_comes_into_a_log_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(CardDeclined):
        gateway(NOT_FOUND)[0].charge(REQUEST)

    assert "s3cr3t" not in caplog.text
