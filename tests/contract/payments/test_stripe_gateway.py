"""
The Stripe gateway keeps the port's promises against a localstripe process, over HTTP.

It needs no deployed stack: the process is `conftest.py`'s own.
"""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tillflow.contexts.payments.gateway import (
    CardDeclined,
    Charge,
    ChargeCanceled,
    ChargeRequest,
    GatewayFault,
    GatewayUnavailable,
    KeyReused,
)
from tillflow.contexts.payments.retrying import Retrying
from tillflow.contexts.payments.stripe_gateway import StripeGateway

GOOD = "4242424242424242"
DECLINED = "4000000000000341"
NEEDS_3D_SECURE = "4000002760003184"
keys = (f"order-{n}:1" for n in itertools.count())


@pytest.fixture
def gateway(localstripe: Any) -> StripeGateway:
    return StripeGateway(localstripe.api_key, api_base=localstripe.url, http_client=localstripe)


def request(token: str = "pm_card_visa") -> ChargeRequest:
    """Return a request under a key that no other test uses."""
    key = next(keys)
    return ChargeRequest(key=key, order_id=key.removesuffix(":1"), amount=1250, currency="EUR", payment_token=token)


# --- charge -----------------------------------------------------------------------------------------------------


def test_a_payment_method_is_charged(gateway: StripeGateway, localstripe: Any) -> None:
    asked = request(localstripe.payment_method(GOOD))

    charge = gateway.charge(asked)

    (paid,) = localstripe.paid()
    assert charge == Charge(reference=paid["payment_intent"], amount=1250, currency="EUR")
    assert (paid["amount"], paid["currency"]) == (1250, "eur")
    (intent,) = localstripe.intents()
    assert intent["metadata"] == {"order_id": asked.order_id, "key": asked.key}


def test_a_card_token_is_charged(gateway: StripeGateway, localstripe: Any) -> None:
    gateway.charge(request(localstripe.token(GOOD)))

    assert localstripe.kept() == 1250


def test_a_charge_is_two_requests(gateway: StripeGateway, localstripe: Any) -> None:
    charge = gateway.charge(request())

    assert localstripe.calls == ["POST /v1/payment_intents", f"POST /v1/payment_intents/{charge.reference}/confirm"]


def test_the_same_key_again_is_the_same_charge(gateway: StripeGateway, localstripe: Any) -> None:
    asked = request()

    assert gateway.charge(asked) == gateway.charge(asked) == gateway.charge(asked)
    assert len(localstripe.paid()) == 1


def test_racing_charges_with_one_key_charge_once(gateway: StripeGateway, localstripe: Any) -> None:
    # GIVEN a step that runs four times at the same moment
    asked, start = request(), threading.Barrier(4)

    def charge(_: int) -> Charge:
        start.wait()
        return Retrying(gateway, attempts=20).charge(asked)

    # WHEN all of them charge
    with ThreadPoolExecutor(4) as pool:
        charges = set(pool.map(charge, range(4)))

    # THEN all of them speak of one charge
    assert len(charges) == 1
    assert len(localstripe.paid()) == 1


@pytest.mark.parametrize("lost", ["/payment_intents", "/confirm"])
def test_a_charge_whose_answer_was_lost_is_found_again(gateway: StripeGateway, localstripe: Any, lost: str) -> None:
    # GIVEN a request that took effect and whose answer never came
    asked = request()
    localstripe.lose.append(lost)
    with pytest.raises(GatewayUnavailable):
        gateway.charge(asked)

    # WHEN the step is retried
    charge = gateway.charge(asked)

    # THEN there is one charge
    (paid,) = localstripe.paid()
    assert charge.reference == paid["payment_intent"]
    assert len(localstripe.intents()) == 1


def test_a_gateway_that_is_down_is_unavailable_and_not_retried_by_the_sdk() -> None:
    # GIVEN a port where nobody listens
    gateway = StripeGateway("sk_test_12345", api_base="http://127.0.0.1:9")

    with pytest.raises(GatewayUnavailable):
        gateway.charge(request())


@pytest.mark.parametrize("change", [{"amount": 1251}, {"currency": "USD"}, {"order_id": "another"}], ids=str)
def test_a_key_never_serves_another_charge(gateway: StripeGateway, localstripe: Any, change: dict[str, Any]) -> None:
    asked = request()
    gateway.charge(asked)

    with pytest.raises(KeyReused):
        gateway.charge(replace(asked, **change))
    assert localstripe.kept() == 1250


# --- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["token", "payment_method"])
def test_a_declined_card_is_declined_and_stays_declined(gateway: StripeGateway, localstripe: Any, kind: str) -> None:
    asked = request(getattr(localstripe, kind)(DECLINED))

    for _ in range(3):
        with pytest.raises(CardDeclined) as refused:
            gateway.charge(asked)
        assert refused.value.reason == "card_declined"
    assert localstripe.paid() == []


def test_a_card_that_asks_for_3d_secure_is_declined(gateway: StripeGateway, localstripe: Any) -> None:
    asked = request(localstripe.payment_method(NEEDS_3D_SECURE))

    for _ in range(2):
        with pytest.raises(CardDeclined) as refused:
            gateway.charge(asked)
        assert refused.value.reason == "authentication_required"
    assert gateway.cancel(asked) is None
    assert localstripe.paid() == []


@pytest.mark.parametrize("token", ["tok_unheard_of", "pm_unheard_of", "", "tok", "src_1", "nonsense", "\x00"])
def test_a_token_that_names_no_card_is_declined(gateway: StripeGateway, localstripe: Any, token: str) -> None:
    asked = request(token)

    with pytest.raises(CardDeclined) as refused:
        gateway.charge(asked)

    assert refused.value.reason == "invalid_payment_token"
    assert gateway.cancel(asked) is None
    assert localstripe.intents() == []


def test_a_wrong_api_key_is_a_fault_that_does_not_tell_the_key(localstripe: Any) -> None:
    gateway = StripeGateway("not_the_key_9f3a", api_base=localstripe.url, http_client=localstripe)

    for call in (gateway.charge, gateway.cancel):
        with pytest.raises(GatewayFault, match="AuthenticationError, HTTP 401") as fault:
            call(request())
        assert "9f3a" not in str(fault.value)
        assert fault.value.__suppress_context__


# --- cancel ------------------------------------------------------------------------------------------------------


def test_canceling_a_charge_refunds_it_once_however_often_it_is_repeated(gateway: StripeGateway, localstripe: Any) -> None:
    asked = request()
    charge = gateway.charge(asked)

    assert gateway.cancel(asked) == gateway.cancel(asked) == gateway.cancel(asked, charge.reference) == charge

    (refund,) = localstripe.refunds()
    assert (refund["payment_intent"], refund["amount"]) == (charge.reference, 1250)
    assert localstripe.kept() == 0


def test_a_canceled_charge_is_not_reported_as_charged_again(gateway: StripeGateway) -> None:
    """Stripe's saved answer still says "succeeded"; only the intent itself knows of the refund."""
    asked = request()
    gateway.charge(asked)
    gateway.cancel(asked)

    with pytest.raises(ChargeCanceled):
        gateway.charge(asked)


def test_a_late_charge_finds_the_key_closed(gateway: StripeGateway, localstripe: Any) -> None:
    # GIVEN a cancel that came before the charge it undoes
    asked = request()
    assert gateway.cancel(asked) is None
    assert gateway.cancel(asked) is None

    # WHEN the charge arrives
    # THEN it is refused
    with pytest.raises(ChargeCanceled):
        gateway.charge(asked)
    assert localstripe.paid() == []
    assert [intent["status"] for intent in localstripe.intents()] == ["canceled"]


def test_canceling_a_declined_payment_undoes_nothing_and_closes_the_key(gateway: StripeGateway, localstripe: Any) -> None:
    asked = request(localstripe.payment_method(DECLINED))
    with pytest.raises(CardDeclined):
        gateway.charge(asked)

    assert gateway.cancel(asked) is None
    with pytest.raises(ChargeCanceled):
        gateway.charge(asked)
    assert localstripe.refunds() == []


@pytest.mark.parametrize("lost", ["/payment_intents", "/confirm"])
def test_a_charge_whose_outcome_is_unknown_is_undone(gateway: StripeGateway, localstripe: Any, lost: str) -> None:
    # GIVEN a charge that took effect, or half of it, unknown to us
    asked = request()
    localstripe.lose.append(lost)
    with pytest.raises(GatewayUnavailable):
        gateway.charge(asked)

    # WHEN compensation undoes it by its key
    gateway.cancel(asked)

    # THEN no money was kept, and none can be
    assert localstripe.kept() == 0
    with pytest.raises(ChargeCanceled):
        gateway.charge(asked)


@pytest.mark.parametrize("lost", ["/payment_intents", "/refunds"])
def test_a_refund_whose_answer_was_lost_is_not_made_twice(gateway: StripeGateway, localstripe: Any, lost: str) -> None:
    asked = request()
    charge = gateway.charge(asked)
    localstripe.lose.append(lost)
    with pytest.raises(GatewayUnavailable):
        gateway.cancel(asked)

    assert gateway.cancel(asked) == charge
    assert len(localstripe.refunds()) == 1


def test_a_charge_is_undone_by_its_reference_when_its_key_is_long_forgotten(gateway: StripeGateway, localstripe: Any) -> None:
    # GIVEN a charge of yesterday
    asked = request()
    charge = gateway.charge(asked)
    localstripe.forget()

    # WHEN its order is canceled, without the token of then
    assert gateway.cancel(replace(asked, payment_token=""), charge.reference) == charge

    # THEN it is refunded, and nothing else was made
    assert localstripe.kept() == 0
    assert len(localstripe.intents()) == 1


def test_a_refund_is_not_repeated_when_its_key_is_long_forgotten(gateway: StripeGateway, localstripe: Any) -> None:
    asked = request()
    charge = gateway.charge(asked)
    gateway.cancel(asked, charge.reference)
    localstripe.forget()

    assert gateway.cancel(asked, charge.reference) == charge
    assert len(localstripe.refunds()) == 1


def test_a_cancel_that_comes_between_the_two_phases_of_a_charge_wins(gateway: StripeGateway, localstripe: Any) -> None:
    asked = request()
    localstripe.before["/confirm"] = lambda: gateway.cancel(asked)

    with pytest.raises(ChargeCanceled):
        gateway.charge(asked)
    assert localstripe.paid() == []


def test_a_charge_that_is_confirmed_while_cancel_looks_is_refunded(gateway: StripeGateway, localstripe: Any) -> None:
    # GIVEN a charge that stands between its two phases
    asked = request()
    localstripe.lose.append("/payment_intents")
    with pytest.raises(GatewayUnavailable):
        gateway.charge(asked)

    # WHEN it is confirmed after cancel saw it unconfirmed
    localstripe.before["/cancel"] = lambda: gateway.charge(asked)
    undone = gateway.cancel(asked)

    # THEN cancel refunds it instead
    assert undone is not None
    assert localstripe.kept() == 0
    assert len(localstripe.refunds()) == 1


# --- sequences ----------------------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.sampled_from(["charge", "cancel"]),
        st.sampled_from([None, None, "/payment_intents", "/confirm", "/cancel", "/refunds"]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, card=st.sampled_from([GOOD, DECLINED, NEEDS_3D_SECURE]))
def test_whatever_is_called_and_lost_in_whatever_order_at_most_one_charge_and_none_after_a_cancel(
    gateway: StripeGateway, localstripe: Any, steps: list[tuple[str, str | None]], card: str
) -> None:
    localstripe.empty()
    asked, canceled = request(localstripe.payment_method(card)), False

    for step, lost in steps:
        localstripe.lose[:] = [lost] if lost else []
        try:
            if step == "charge":
                gateway.charge(asked)
                assert not canceled
            else:
                gateway.cancel(asked)
                canceled = True
        except (CardDeclined, ChargeCanceled, GatewayUnavailable):
            pass
        assert len(localstripe.paid()) <= (1 if card == GOOD else 0)
        assert localstripe.kept() >= 0
        if canceled:
            assert localstripe.kept() == 0
