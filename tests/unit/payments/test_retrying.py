"""Retries in front of a gateway: bounded, jittered, in time, and only for "unavailable"."""

from dataclasses import dataclass, field

import pytest

from tillflow.payments.gateway import (
    CardDeclined,
    Charge,
    ChargeCanceled,
    ChargeRequest,
    GatewayFault,
    GatewayUnavailable,
)
from tillflow.payments.retrying import Retrying

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


class Time:
    """A clock that only sleeping moves."""

    def __init__(self, left: float) -> None:
        self.left = left
        self.pauses: list[float] = []

    def remaining(self) -> float:
        return self.left

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.left -= seconds


def retrying(gateway: Scripted, time: Time, **options: object) -> Retrying:
    return Retrying(gateway, remaining=time.remaining, sleep=time.sleep, **({"jitter": lambda: 1.0} | options))  # type: ignore[arg-type]


def test_a_gateway_that_answers_is_called_once_without_a_pause() -> None:
    gateway, time = Scripted([]), Time(10)

    assert retrying(gateway, time).charge(REQUEST) == CHARGE
    assert gateway.calls == [("charge", REQUEST)]
    assert time.pauses == []


def test_an_unavailable_gateway_is_tried_again_with_the_same_request() -> None:
    gateway, time = Scripted(unavailable(2)), Time(10)

    assert retrying(gateway, time).charge(REQUEST) == CHARGE
    assert gateway.calls == [("charge", REQUEST)] * 3


def test_cancel_is_retried_too_and_keeps_its_reference() -> None:
    gateway, time = Scripted(unavailable(1)), Time(10)

    assert retrying(gateway, time).cancel(REQUEST, "ch_1") == CHARGE
    assert gateway.calls == [("cancel", REQUEST, "ch_1")] * 2


def test_the_last_failure_is_raised_when_the_attempts_are_used_up() -> None:
    gateway, time = Scripted(unavailable(5)), Time(10)

    with pytest.raises(GatewayUnavailable, match="failure 4"):
        retrying(gateway, time, attempts=4).charge(REQUEST)
    assert len(gateway.calls) == 4
    assert len(time.pauses) == 3


def test_pauses_double_up_to_two_seconds() -> None:
    gateway, time = Scripted(unavailable(7)), Time(60)

    retrying(gateway, time, attempts=8).charge(REQUEST)

    assert time.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_a_pause_is_a_random_part_of_its_longest() -> None:
    gateway, time = Scripted(unavailable(2)), Time(60)

    retrying(gateway, time, jitter=lambda: 0.25).charge(REQUEST)

    assert time.pauses == [0.025, 0.05]


def test_no_attempt_begins_that_would_not_end_in_time() -> None:
    # GIVEN 1.2 s left, of which an attempt may take 1 s
    gateway, time = Scripted(unavailable(9)), Time(1.2)

    # WHEN the gateway stays unavailable
    with pytest.raises(GatewayUnavailable, match="failure 2"):
        retrying(gateway, time, attempts=9, per_attempt=1.0).charge(REQUEST)

    # THEN the pause of 0.1 s fits and the next one of 0.2 s does not
    assert time.pauses == [0.1]


def test_the_first_attempt_is_made_even_when_time_is_short() -> None:
    gateway, time = Scripted([]), Time(0)

    assert retrying(gateway, time).charge(REQUEST) == CHARGE


@pytest.mark.parametrize("refusal", [CardDeclined("card_declined"), ChargeCanceled(), GatewayFault("wrong key")])
def test_an_answer_is_never_retried(refusal: Exception) -> None:
    gateway, time = Scripted([refusal]), Time(10)

    with pytest.raises(type(refusal)):
        retrying(gateway, time).charge(REQUEST)
    assert len(gateway.calls) == 1
