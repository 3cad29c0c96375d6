"""
Retries in front of a gateway: the one mechanism for every adapter.

A gateway's key makes a repeated call the same call, so `GatewayUnavailable` may simply be tried again.
"""

from collections.abc import Callable

from tillflow.contexts.payments.gateway import Charge, ChargeRequest, Gateway, GatewayUnavailable
from tillflow.runtime import backoff

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


class Retrying:
    """
    A `Gateway` that calls another up to *attempts* times while it raises `GatewayUnavailable`.

    One attempt takes *per_attempt* seconds at most. Every other error passes through at once.
    """

    def __init__(self, gateway: Gateway, *, attempts: int = 3, per_attempt: float = 1.0) -> None:
        self._gateway = gateway
        self._attempts = attempts
        self._per_attempt = per_attempt

    def charge(self, request: ChargeRequest) -> Charge:
        """Charge as `Gateway.charge` does, retrying while the gateway is unavailable."""
        return self._retry(lambda: self._gateway.charge(request))

    def cancel(self, request: ChargeRequest, reference: str | None = None) -> Charge | None:
        """Cancel as `Gateway.cancel` does, retrying while the gateway is unavailable."""
        return self._retry(lambda: self._gateway.cancel(request, reference))

    def _retry[T](self, call: Callable[[], T]) -> T:
        failure: GatewayUnavailable | None = None
        for _ in backoff.attempts(
            self._attempts, seconds=self._per_attempt, first=_FIRST_PAUSE_SECONDS, longest=_LONGEST_PAUSE_SECONDS
        ):
            try:
                return call()
            except GatewayUnavailable as error:
                failure = error
        raise failure or AssertionError("there always is a first attempt")
