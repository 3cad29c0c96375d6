"""Which gateway a stack charges through, with which key, and until when it is tried again."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests import shop
from tests.world import World
from tillflow.contexts.payments import gateways, sandbox, stripe_gateway
from tillflow.contexts.payments.gateway import ChargeRequest, GatewayFault, GatewayUnavailable
from tillflow.runtime import aws, deadline, secrets
from tillflow.values import clock

REQUEST = ChargeRequest(key="order-1:1", order_id="order-1", amount=1250, currency="EUR", payment_token="tok_success")
NO_KEYS = {
    "key and value": '{"apiKey": "sk_live_s3cr3t"}',
    "JSON text": '"sk_live_s3cr3t"',
    "two keys": "sk_live_s3cr3t sk_test_s3cr3t",
    "publishable": "pk_live_s3cr3t",
    "a webhook's": "whsec_s3cr3t",
    "a bearer": "Bearer sk_live_s3cr3t",
    "cut": "sk_live_",
    "a placeholder": "s3cr3t",
    "odd": "sk_live_s3cr3t\u00e9",
}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """A gateway of a test's own."""
    gateways.forget()
    yield
    gateways.forget()


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """A stack that charges through Stripe; its secret is what the list that this yields begins with."""
    versions: list[bytes] = []
    monkeypatch.setenv("PAYMENT_GATEWAY", "stripe")
    monkeypatch.setattr(secrets, "current", lambda _: versions[0])
    return versions


def test_a_rotated_stripe_key_is_used(stripe: list[bytes]) -> None:
    stripe.append(b"sk_test_one")
    first, again = gateways.gateway(), gateways.gateway()
    stripe[0] = b"sk_test_two"

    assert first is again
    assert gateways.gateway() is not first


@pytest.mark.parametrize(
    "secret", ["sk_live_51Abc", "sk_test_12345", "rk_live_51Abc_9", "rk_test_1", "sk_test_1\n", " sk_test_1 "]
)
def test_stripe_is_given_its_key_bare(stripe: list[bytes], secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    monkeypatch.setattr(stripe_gateway, "StripeGateway", given.append)
    stripe.append(secret.encode())

    gateways.gateway()

    assert given == [secret.strip()]


@pytest.mark.parametrize("secret", NO_KEYS.values(), ids=NO_KEYS)
def test_a_secret_that_is_no_key_of_stripe_s_is_refused_with_what_to_do(stripe: list[bytes], secret: str) -> None:
    stripe.append(secret.encode())

    with pytest.raises(GatewayFault, match="whose plain text is the key and nothing else") as refused:
        gateways.gateway()

    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize("error", ["ResourceNotFoundException", "AccessDeniedException"])
def test_a_secret_that_cannot_be_read_is_told_with_what_to_do(world: World, monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    """An ARN without the six characters at its end: to Secrets Manager, `stripe` may be such characters."""
    del world
    monkeypatch.setenv("PAYMENT_GATEWAY", "stripe")
    monkeypatch.setenv("STRIPE_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:tillflow-stripe")
    client = aws.client("secretsmanager")

    def refuse(**_: object) -> None:
        refusal: Any = client.exceptions.from_code(error)
        raise refusal({"Error": {"Code": error, "Message": "no"}}, "GetSecretValue")

    monkeypatch.setattr(client, "get_secret_value", refuse)

    with pytest.raises(GatewayFault, match="whole ARN"):
        gateways.gateway()


def test_a_key_may_be_stored_as_bytes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = world.secret_arns["CartSnapshotSecret"]
    aws.client("secretsmanager").put_secret_value(SecretId=arn, SecretBinary=b"sk_test_1")
    monkeypatch.setenv("PAYMENT_GATEWAY", "stripe")
    monkeypatch.setenv("STRIPE_SECRET_ARN", arn)

    assert gateways.gateway()


def test_a_charge_with_such_a_secret_tells_it_in_the_log_and_the_secret_never(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    aws.client("secretsmanager").put_secret_value(
        SecretId=world.secret_arns["CartSnapshotSecret"], SecretString='{"apiKey": "sk_live_s3cr3t"}'
    )
    shop.stock(world, 1)
    order_id = shop.order(world)
    world.environments["order_saga/charge_payment"] |= {
        "PAYMENT_GATEWAY": "stripe",
        "STRIPE_SECRET_ARN": world.secret_arns["CartSnapshotSecret"],
    }

    with pytest.raises(GatewayFault):
        world.step("charge_payment", order_id)

    assert "StripeSecretArn" in caplog.text
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize(("gateway", "seconds"), [("stripe", 79), ("sandbox", 18)])
@pytest.mark.parametrize(("more", "attempts"), [(-0.1, 1), (0.5, 3)], ids=["too late", "in time"])
@pytest.mark.usefixtures("world")
def test_an_attempt_begins_only_where_the_longest_one_would_end_in_time(
    gateway: str, seconds: float, more: float, attempts: int, stripe: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Lambda that is killed in the middle of a charge knows nothing of it."""
    tried: list[ChargeRequest] = []

    class Away:
        def __init__(self, *_: Any) -> None: ...

        def charge(self, request: ChargeRequest) -> None:
            tried.append(request)
            raise GatewayUnavailable

    stripe.append(b"sk_test_1")
    monkeypatch.setenv("PAYMENT_GATEWAY", gateway)
    monkeypatch.setattr(stripe_gateway, "StripeGateway", Away)
    monkeypatch.setattr(sandbox, "SandboxGateway", Away)
    monkeypatch.setattr(clock, "sleep", lambda _: None)
    monkeypatch.setattr(deadline, "remaining", lambda: seconds + more)

    with pytest.raises(GatewayUnavailable):
        gateways.gateway().charge(REQUEST)

    assert len(tried) == attempts
