"""Tokens of sessions: what we signed is believed until it expires, as what it is; nothing else is."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ConnectTimeoutError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.api_jws import PyJWS

from tests.world import ACCESS_KEY, REFRESH_KEY, World
from tillflow.contexts.identity import jwks, keyring, keys, tables, tokens
from tillflow.errors import Unavailable
from tillflow.runtime import aws, secrets
from tillflow.storage.attributes import to_item
from tillflow.values import clock

NOW = datetime(2026, 3, 1, 12, 0, 0, 400_000, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
MONTH = 30 * 24 * 3600


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let both clocks go on."""
    now, ticks = clock.now() + timedelta(seconds=seconds), clock.monotonic() + seconds
    monkeypatch.setattr(clock, "now", lambda: now)
    monkeypatch.setattr(clock, "monotonic", lambda: ticks)


def part(text: str, number: int) -> dict[str, object]:
    segment = text.split(".")[number]
    read: dict[str, object] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return read


# --- vectors ------------------------------------------------------------------------------------------------------


def test_es256_as_in_rfc_7515_a_3() -> None:
    text = (
        "eyJhbGciOiJFUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    item = {"x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
    key = keys.from_jwk(item)

    assert tokens._JWS.decode(text, key, ["ES256"]).startswith(b'{"iss":"joe",')  # noqa: SLF001


def test_a_key_s_name_as_in_rfc_7638_3_1() -> None:
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI"
        "SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )

    assert keyring.thumbprint({"kty": "RSA", "n": modulus, "e": "AQAB"}) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_signing_follows_from_what_is_signed_as_in_rfc_6979_a_2_5() -> None:
    key = ec.derive_private_key(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721, ec.SECP256R1())

    signature = tokens._Deterministic(SHA256, ec.SECP256R1).sign(b"sample", key)  # noqa: SLF001

    assert signature.hex().upper() == (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    )


# --- what a token is ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_an_access_token_says_whose_session_it_is_and_what_its_user_may() -> None:
    text = tokens.access("user-1", "session-1", ("buyer", "admin"), NOW)

    assert part(text, 0) == {"alg": "ES256", "typ": "at+jwt", "kid": ACCESS_KEY.kid}
    claims = part(text, 1)
    assert claims.keys() == {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "roles"}
    assert claims["aud"] == f"{claims['iss']}:access"
    assert tokens.read_access(text) == tokens.Access("user-1", "session-1", ("buyer", "admin"), SECONDS, SECONDS + 900)
    assert tokens.access("user-1", "session-1", ("buyer", "admin"), NOW) != text  # it has a jti of its own


@pytest.mark.usefixtures("world")
def test_a_refresh_token_is_the_same_text_for_the_same_generation() -> None:
    texts = [tokens.refresh("user-1", "session-1", number, NOW, SECONDS + MONTH) for number in (3, 3, 4)]

    assert texts[0] == texts[1] != texts[2]
    assert part(texts[0], 0) == {"alg": "ES256", "typ": "rt+jwt", "kid": REFRESH_KEY.kid}
    assert part(texts[0], 1).keys() == {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "gen"}
    assert part(texts[0], 1)["jti"] != part(texts[2], 1)["jti"]
    assert tokens.read_refresh(texts[0]) == tokens.Refresh("user-1", "session-1", 3, SECONDS, SECONDS + MONTH)


@pytest.mark.usefixtures("world")
def test_a_token_of_one_kind_is_none_of_the_other() -> None:
    assert tokens.read_refresh(tokens.access("user-1", "session-1", ("buyer",), NOW)) is None
    assert tokens.read_access(tokens.refresh("user-1", "session-1", 1, NOW, SECONDS + MONTH)) is None


@pytest.mark.usefixtures("world")
def test_a_token_is_over_at_its_last_second(monkeypatch: pytest.MonkeyPatch) -> None:
    access, refresh = tokens.access("u", "s", (), NOW), tokens.refresh("u", "s", 1, NOW, SECONDS + 900)

    pass_time(monkeypatch, 899.5)
    assert tokens.read_access(access)
    assert tokens.read_refresh(refresh)
    pass_time(monkeypatch, 0.5)
    assert tokens.read_access(access) is None
    assert tokens.read_refresh(refresh) is None


# --- keys ---------------------------------------------------------------------------------------------------------


def hold(world: World, kind: str, *held: keyring.Key) -> None:
    """Let the stack have these keys, newest first, in one kind's secret and among the public ones."""
    name = {jwks.ACCESS: "AccessKeySecret", jwks.REFRESH: "RefreshKeySecret"}[kind]
    aws.client("secretsmanager").put_secret_value(SecretId=world.secret_arns[name], SecretString=keyring.written(held))
    item = to_item(tables.jwks_key() | {kind: [key.jwk for key in held]})
    aws.client("dynamodb").put_item(TableName="IdentityTable", Item=item)


def test_without_a_key_nothing_is_signed_and_the_first_one_is_found_within_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(world, jwks.ACCESS)
    with pytest.raises(Unavailable, match="no keys"):
        tokens.access("u", "s", (), NOW)

    hold(world, jwks.ACCESS, keyring.new(SECONDS))
    pass_time(monkeypatch, 10)
    assert tokens.read_access(tokens.access("u", "s", (), NOW))


def test_a_new_key_signs_only_what_is_issued_when_everybody_knows_it(world: World) -> None:
    old, new = keyring.new(SECONDS - 9_999), keyring.new(SECONDS)
    hold(world, jwks.REFRESH, new, old)

    def kid(seconds: int) -> object:
        return part(tokens.refresh("u", "s", 1, NOW + timedelta(seconds=seconds), SECONDS + MONTH), 0)["kid"]

    assert [kid(0), kid(899), kid(900), kid(9_999)] == [old.kid, old.kid, new.kid, new.kid]
    assert keyring.LEAD_SECONDS > 2 * jwks.KEPT_SECONDS


def test_a_key_that_is_not_known_is_looked_for_no_more_often_than_every_ten_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "monotonic", lambda: 1000.0)
    asked: list[object] = []
    aws.client("dynamodb").meta.events.register("provide-client-params.dynamodb.GetItem", lambda **_: asked.append(1))
    fresh = keyring.new(SECONDS)
    text = tokens._JWS.encode(b"{}", fresh.private, "ES256", {"typ": "at+jwt", "kid": fresh.kid})  # noqa: SLF001

    for _ in range(20):
        assert tokens.read_access(text) is None
    assert len(asked) == 1

    hold(world, jwks.ACCESS, fresh)
    secrets.forget()
    monkeypatch.setattr(clock, "monotonic", lambda: 1010.0)
    assert tokens.read_access(tokens.access("u", "s", (), NOW))
    assert len(asked) == 2


@pytest.mark.usefixtures("world")
def test_who_has_the_public_keys_verifies_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    text = tokens.access("u", "s", (), NOW)
    assert tokens.read_access(text)

    def away(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    with monkeypatch.context() as patched:
        patched.setattr(aws.client("dynamodb"), "get_item", away)
        pass_time(patched, 301)
        assert tokens.read_access(text)
        jwks.forget()
        with pytest.raises(Unavailable):
            tokens.read_access(text)


def test_a_key_is_kept_until_its_last_token_is_over() -> None:
    lifetime = 3_600
    first = keyring.new(0)
    second = keyring.rotated((first,), keyring.new(10_000), lifetime)
    assert [key.created_at for key in second] == [10_000, 0]

    # The first signs until the second begins, and its tokens live an hour from then.
    last = 10_000 + keyring.LEAD_SECONDS + lifetime
    assert [key.created_at for key in keyring.rotated(second, keyring.new(last - 1), lifetime)] == [last - 1, 10_000, 0]
    assert [key.created_at for key in keyring.rotated(second, keyring.new(last), lifetime)] == [last, 10_000]


def test_keys_are_read_as_they_were_written() -> None:
    held = (keyring.new(2), keyring.new(1))

    assert keyring.read(keyring.written(held).encode()) == held
    assert held[0].private.public_key() != held[1].private.public_key()


def test_a_published_key_is_public() -> None:
    key = keyring.new(1)

    assert key.jwk.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert PyJWS().decode(PyJWS().encode(b"text", key.private, "ES256"), keys.from_jwk(key.jwk), ["ES256"])
