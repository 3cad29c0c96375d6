"""Retries in front of a gateway: bounded, jittered, in time, and only for "unavailable"."""

import random
from dataclasses import dataclass, field

import pytest

from tillflow.contexts.payments.gateway import (
    CardDeclined,
    Charge,
    ChargeCanceled,
    ChargeRequest,
    GatewayFault,
    GatewayUnavailable,
)
from tillflow.contexts.payments.retrying import Retrying
from tillflow.runtime import deadline
from tillflow.values import clock

REQUEST = ChargeRequest(key="order-1:1", order_id="order-1", amount=1250, currency="EUR", payment_token="tok_success")
CHARGE = Charge(reference="ch_1", amount=1250, currency="EUR")


@dataclass
class Scripted:
    """A gateway that raises what its script says, then charges."""

    script: list[Exception]
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def charge(self, request: ChargeRequest) -> Charge:
        self.calls.append(("charge", request))
        return self._next()

    def cancel(self, request: ChargeRequest, reference: str | None = None) -> Charge | None:
        self.calls.append(("cancel", request, reference))
        return self._next()

    def _next(self) -> Charge:
        if self.script:
            raise self.script.pop(0)
        return CHARGE


def unavailable(times: int) -> list[Exception]:
    return [GatewayUnavailable(f"failure {n}") for n in range(1, times + 1)]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are taken; none really is."""
    taken: list[float] = []
    monkeypatch.setattr(clock, "sleep", taken.append)
    return taken


def test_a_gateway_that_answers_is_called_once_without_a_pause(pauses: list[float]) -> None:
    gateway = Scripted([])

    assert Retrying(gateway).charge(REQUEST) == CHARGE
    assert gateway.calls == [("charge", REQUEST)]
    assert pauses == []


def test_an_unavailable_gateway_is_tried_again_with_the_same_request() -> None:
    gateway = Scripted(unavailable(2))

    assert Retrying(gateway).charge(REQUEST) == CHARGE
    assert gateway.calls == [("charge", REQUEST)] * 3


def test_cancel_is_retried_too_and_keeps_its_reference() -> None:
    gateway = Scripted(unavailable(1))

    assert Retrying(gateway).cancel(REQUEST, "ch_1") == CHARGE
    assert gateway.calls == [("cancel", REQUEST, "ch_1")] * 2


def test_the_last_failure_is_raised_when_the_attempts_are_used_up(pauses: list[float]) -> None:
    gateway = Scripted(unavailable(5))

    with pytest.raises(GatewayUnavailable, match="failure 4"):
        Retrying(gateway, attempts=4).charge(REQUEST)
    assert len(gateway.calls) == 4
    assert len(pauses) == 3


def test_pauses_are_at_most_two_seconds(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)

    Retrying(Scripted(unavailable(7)), attempts=8).charge(REQUEST)

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_no_attempt_begins_that_would_not_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "remaining", lambda: 26.0)
    gateway = Scripted(unavailable(9))

    with pytest.raises(GatewayUnavailable, match="failure 1"):
        Retrying(gateway, per_attempt=26).charge(REQUEST)


@pytest.mark.parametrize("refusal", [CardDeclined("card_declined"), ChargeCanceled(), GatewayFault("wrong key")])
def test_an_answer_is_never_retried(refusal: Exception) -> None:
    gateway = Scripted([refusal])

    with pytest.raises(type(refusal)):
        Retrying(gateway).charge(REQUEST)
    assert len(gateway.calls) == 1
