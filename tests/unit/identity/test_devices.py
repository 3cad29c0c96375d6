"""Devices: a cookie says of which account it is, until when, and nobody else can write one."""

from datetime import timedelta

import pytest

from tests.world import World
from tillflow.contexts.identity import devices
from tillflow.runtime import aws, secrets
from tillflow.values import clock

ADA, BOB = "ada@example.com", "bob@example.com"


def sent(cookie: str) -> str:
    return cookie.partition(";")[0]


@pytest.mark.usefixtures("world")
def test_a_device_is_known_to_the_account_that_it_logged_in_to_and_to_no_other() -> None:
    one, other = sent(devices.cookie(ADA)), sent(devices.cookie(ADA))

    assert devices.known(one, ADA)
    assert devices.known(one, ADA) == devices.known(f"a=b; {one} ;c=d", ADA)
    assert devices.known(one, ADA) != devices.known(other, ADA)
    assert devices.known(one, BOB) is None


@pytest.mark.usefixtures("world")
def test_a_cookie_stays_with_the_browser_and_the_host() -> None:
    attributes = set(devices.cookie(ADA).split("; ")[1:])

    assert attributes == {"Max-Age=15552000", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"}
    assert sent(devices.cookie(ADA)).startswith("__Host-device=")
    assert "ada" not in devices.cookie(ADA)


@pytest.mark.usefixtures("world")
def test_after_180_days_a_device_is_a_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie, began = sent(devices.cookie(ADA)), clock.now()

    for days, is_known in ((179, True), (180, False)):
        monkeypatch.setattr(clock, "now", lambda days=days: began + timedelta(days=days))
        assert bool(devices.known(cookie, ADA)) is is_known


@pytest.mark.usefixtures("world")
def test_no_part_of_a_cookie_can_be_changed() -> None:
    name, _, value = sent(devices.cookie(ADA)).partition("=")

    for position, character in enumerate(value):
        other = "0" if character != "0" else "1"
        assert devices.known(f"{name}={value[:position]}{other}{value[position + 1 :]}", ADA) is None


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "cookies",
    ["", "=", "__Host-device=", "__Host-device=a.b.c", "__Host-device=" + "a" * 9000, "x__Host-device=a", "\ud800", "\x00;" * 99]
    + [f"__Host-device={'a' * 22}.{until}.{'b' * 43}" for until in ("9999999999", "999999999999", "٣", "1e9", "-1", "")],
    ids=lambda text: ascii(text)[:40],
)
def test_anything_else_is_no_device(cookies: str) -> None:
    assert devices.known(cookies, ADA) is None


def test_a_device_outlives_one_rotation_of_the_secret(world: World) -> None:
    cookie = sent(devices.cookie(ADA))

    for value, is_known in (("new", True), ("newer", False)):
        aws.client("secretsmanager").put_secret_value(SecretId=world.secret_arns["CodeSecret"], SecretString=value)
        secrets.forget()
        assert bool(devices.known(cookie, ADA)) is is_known
