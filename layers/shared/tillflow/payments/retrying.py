"""
Retries in front of a gateway: the one mechanism for every adapter.

A gateway's key makes a repeated call the same call, so `GatewayUnavailable` may simply be tried again.
"""

import random
from collections.abc import Callable
from itertools import count

from tillflow import clock, deadline
from tillflow.payments.gateway import Charge, ChargeRequest, Gateway, GatewayUnavailable

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


class Retrying:
    """
    A `Gateway` that calls another up to *attempts* times while it raises `GatewayUnavailable`.

    Between two attempts it sleeps a random part of 0.1 s, 0.2 s, 0.4 s … at most 2 s (full jitter).
    It does not begin a pause unless, after it, *per_attempt* seconds are left of *remaining()*: better
    an honest `GatewayUnavailable` than a Lambda that is killed in the middle of a call. The first
    attempt is always made. Every other error passes through at once.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        attempts: int = 3,
        per_attempt: float = 1.0,
        remaining: Callable[[], float] = deadline.remaining,
        sleep: Callable[[float], None] = clock.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._gateway = gateway
        self._attempts = attempts
        self._per_attempt = per_attempt
        self._remaining = remaining
        self._sleep = sleep
        self._jitter = jitter

    def charge(self, request: ChargeRequest) -> Charge:
        """Charge as `Gateway.charge` does, retrying while the gateway is unavailable."""
        return self._retry(lambda: self._gateway.charge(request))

    def cancel(self, request: ChargeRequest, reference: str | None = None) -> Charge | None:
        """Cancel as `Gateway.cancel` does, retrying while the gateway is unavailable."""
        return self._retry(lambda: self._gateway.cancel(request, reference))

    def _retry[T](self, call: Callable[[], T]) -> T:
        for attempt in count(1):
            try:
                return call()
            except GatewayUnavailable:
                pause = self._jitter() * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
                if attempt >= self._attempts or self._remaining() < pause + self._per_attempt:
                    raise
            self._sleep(pause)
        raise AssertionError  # `count` never ends
