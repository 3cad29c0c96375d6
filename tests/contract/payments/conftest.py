"""
A localstripe process on a free port, and the part of Stripe that it lacks.

localstripe 1.15.10 has tokens, payment methods, PaymentIntents, charges and refunds, but

* ignores Idempotency-Key: every repeated call would be a new one;
* refuses parameters it does not know (`allowed_payment_method_types`, `payment_method_data`, `off_session`);
* answers 404 without a code where the token or payment method of a creation does not exist (Stripe: 400
  `resource_missing`);
* refunds a charge as often as it is asked to, and declines without a `decline_code`;
* charges 4000 0000 0000 0002, which Stripe declines; it declines 4000 0000 0000 0341.

`Stripe` makes up for the first three between the SDK and the wire, so that the adapter stays as the real Stripe
needs it. What localstripe never answers is in `tests/unit/payments/test_stripe_errors.py`.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
import stripe

# `python -m localstripe` listens on every interface and keeps its store in /tmp: this does neither.
_PROGRAM = """
import socket, sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda store: None
web.run_app(server.app, sock=socket.socket(fileno=int(sys.argv[1])), print=None)
"""
_API_KEY = "sk_test_12345"
_MISSING = {"type": "invalid_request_error", "code": "resource_missing", "param": "payment_method"}

type Answer = tuple[bytes, int, Mapping[str, str]]


class Stripe(stripe.RequestsClient):
    """The SDK's HTTP client, towards localstripe, with Stripe's idempotency and faults on demand."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=10)
        self.url = url
        self.api_key = _API_KEY
        self.calls: list[str] = []
        """`METHOD /path` of each request the SDK sent, in order."""
        self.lose: list[str] = []
        """Path endings; the next request to each takes effect and its answer is lost."""
        self.before: dict[str, Any] = {}
        """Path ending → what happens, once, before a request to it is sent on."""
        self._direct = httpx.Client(base_url=url, auth=(_API_KEY, ""))
        self._saved: dict[str, tuple[tuple[str, str | None], Answer | None]] = {}
        self._lock = threading.Lock()

    def request(self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any) -> Any:
        path = urlsplit(url).path
        self.calls.append(f"{method.upper()} {path}")
        for ending in [ending for ending in self.before if path.endswith(ending)]:
            self.before.pop(ending)()
        answer = self._once(method, url, dict(headers or {}), post_data)
        for ending in [ending for ending in self.lose if path.endswith(ending)]:
            self.lose.remove(ending)
            raise stripe.APIConnectionError("The answer was lost.")  # type: ignore[no-untyped-call]
        return answer

    def _once(self, method: str, url: str, headers: dict[str, str], body: str | None) -> Answer:
        """Send it, or give the saved answer to this idempotency key, as https://docs.stripe.com/idempotency says."""
        key = headers.get("Idempotency-Key")
        if key is None:
            return self._send(method, url, headers, body)
        with self._lock:
            asked = (url, body)
            first, answer = self._saved.setdefault(key, (asked, None))
            mine = answer is None and first is asked
        if first != asked:
            return _error(400, type="idempotency_error", message="Keys can only be used with the same parameters.")
        if answer:
            return answer[0], answer[1], {**answer[2], "Idempotent-Replayed": "true"}
        if not mine:
            return _error(409, type="invalid_request_error", code="idempotency_key_in_use")
        answer = self._send(method, url, headers, body)
        self._saved[key] = (asked, answer)
        return answer

    def _send(self, method: str, url: str, headers: dict[str, str], body: str | None) -> Answer:
        parameters = dict(parse_qsl(body or ""))
        parameters.pop("off_session", None)
        parameters.pop("allowed_payment_method_types[0]", None)
        if token := parameters.pop("payment_method_data[card][token]", None):
            parameters.pop("payment_method_data[type]")
            found = self._direct.get(f"/v1/tokens/{token}")
            if found.is_error:
                return _error(400, **_MISSING, message=f"No such token: '{token}'")
            parameters["payment_method"] = found.json()["card"]["id"]
        answer = super().request(method, url, headers, urlencode(parameters) if body is not None else None)
        if answer[1] == 404 and urlsplit(url).path == "/v1/payment_intents":
            return _error(400, **_MISSING, message=f"No such PaymentMethod: '{parameters['payment_method']}'")
        return answer

    def close(self) -> None:
        self._direct.close()
        super().close()  # type: ignore[no-untyped-call]

    # --- the customer's browser and the merchant's dashboard -----------------------------------------------------

    def token(self, card_number: str) -> str:
        """Make a card token as Stripe.js does in the customer's browser."""
        card = {"number": card_number, "exp_month": "12", "exp_year": "2040", "cvc": "123"}
        return str(self._ask("POST", "/v1/tokens", {f"card[{name}]": value for name, value in card.items()})["id"])

    def payment_method(self, card_number: str) -> str:
        """Make a payment method as Stripe.js does in the customer's browser."""
        card = {"number": card_number, "exp_month": "12", "exp_year": "2040", "cvc": "123"}
        form = {"type": "card"} | {f"card[{name}]": value for name, value in card.items()}
        return str(self._ask("POST", "/v1/payment_methods", form)["id"])

    def paid(self) -> list[dict[str, Any]]:
        """Return every charge that succeeded."""
        charges: list[dict[str, Any]] = self._ask("GET", "/v1/charges", {"limit": "100"})["data"]
        return [charge for charge in charges if charge["status"] == "succeeded"]

    def refunds(self) -> list[dict[str, Any]]:
        """Return every refund."""
        return list(self._ask("GET", "/v1/refunds", {"limit": "100"})["data"])

    def intents(self) -> list[dict[str, Any]]:
        """Return every payment intent."""
        return list(self._ask("GET", "/v1/payment_intents", {"limit": "100"})["data"])

    def kept(self) -> int:
        """Return the money charged and not refunded, in minor units."""
        return int(sum(charge["amount"] for charge in self.paid()) - sum(each["amount"] for each in self.refunds()))

    def empty(self) -> None:
        """Let localstripe start from nothing."""
        self._direct.delete("/_config/data").raise_for_status()

    def forget(self) -> None:
        """Let every idempotency key be pruned, as Stripe does after a day."""
        self._saved.clear()

    def _ask(self, method: str, path: str, form: dict[str, str]) -> dict[str, Any]:
        field = "params" if method == "GET" else "data"
        answer = self._direct.request(method, path, **{field: form})  # type: ignore[arg-type]
        return dict(answer.raise_for_status().json())


def _error(status: int, **error: str) -> Answer:
    return json.dumps({"error": error}).encode(), status, {"Request-Id": "req_test"}


@pytest.fixture(scope="session")
def localstripe_url() -> Iterator[str]:
    """Start localstripe on a free port of this machine; end it with the session."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # The socket listens before the process does, so the first request waits for it by itself.
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(listening.fileno())],
            pass_fds=[listening.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ,
        )
    yield url
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture(autouse=True)
def no_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's telemetry writes an id into the developer's home."""
    monkeypatch.setattr(stripe, "enable_telemetry", False)


@pytest.fixture
def localstripe(localstripe_url: str) -> Iterator[Stripe]:
    """An empty localstripe, as the SDK reaches it."""
    reached = Stripe(localstripe_url)
    reached.empty()
    yield reached
    reached.close()
