"""Tokens that ask to be believed, and must not be: each is refused with 401, and introspection says that it is not active."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests import accounts
from tests.accounts import Account
from tests.world import ACCESS_KEY, REFRESH_KEY, World
from tillflow.contexts.identity import keyring, tokens
from tillflow.values import clock

ROUTE = "GET /api/orders/{orderId}"
# Of the curve P-256 (SEC 2, 2.4.2).
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HEADER: dict[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": ACCESS_KEY.kid}
OTHER = keyring.new(0)


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def signature_of(text: str, key: keyring.Key = ACCESS_KEY) -> bytes:
    signature: bytes = tokens._JWS.get_algorithm_by_name("ES256").sign(text.encode(), key.private)  # noqa: SLF001
    return signature


def signed(header: object, claims: object, key: keyring.Key = ACCESS_KEY) -> str:
    """Return a token that our own key signed, whatever it says: what only its shape or its claims can betray."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(signature_of(text, key))}"


class Case:
    """A good token, and its parts, to make bad ones of."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.good = account.access()
        self.header, self.payload, self.signature = self.good.split(".")
        self.claims: dict[str, Any] = json.loads(decoded(self.payload))
        self.refresh_claims: dict[str, Any] = json.loads(decoded(account.refresh().split(".")[1]))

    def resigned(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return it signed anew with other headers or claims; None takes a claim away."""
        changed = {name: value for name, value in (self.claims | claims).items() if value is not None}
        return signed(HEADER | (header or {}), changed)

    def with_signature(self, signature: bytes) -> str:
        return f"{self.header}.{self.payload}.{encoded(signature)}"


def _hmac_with_the_public_key(case: Case, form: Encoding) -> str:
    text = f"{encoded(HEADER | {'alg': 'HS256'})}.{case.payload}"
    kind = PublicFormat.UncompressedPoint if form is Encoding.X962 else PublicFormat.SubjectPublicKeyInfo
    key = ACCESS_KEY.private.public_key().public_bytes(form, kind)
    return f"{text}.{encoded(hmac.digest(key, text.encode(), hashlib.sha256))}"


def _rsa(case: Case) -> str:
    text = f"{encoded(HEADER | {'alg': 'RS256'})}.{case.payload}"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return f"{text}.{encoded(key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def _another_curve(case: Case) -> str:
    text = f"{encoded(HEADER | {'alg': 'ES256K'})}.{case.payload}"
    key = ec.generate_private_key(ec.SECP256K1())
    from jwt.utils import der_to_raw_signature

    return f"{text}.{encoded(der_to_raw_signature(key.sign(text.encode(), ec.ECDSA(SHA256())), key.curve))}"


def _der(case: Case) -> str:
    raw = decoded(case.signature)
    return case.with_signature(encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:])))


def _parts(r: int | None, s: int | None) -> Any:
    """Return the maker of a token whose signature has another r or s."""

    def make(case: Case) -> str:
        raw = decoded(case.signature)
        parts = [raw[:32] if r is None else r.to_bytes(32), raw[32:] if s is None else s.to_bytes(32)]
        return case.with_signature(b"".join(parts))

    return make


def _not_canonical(segment: int) -> Any:
    """Return the maker of a token one of whose segments has bits set that say nothing."""

    def make(case: Case) -> str:
        parts = case.good.split(".")
        text = parts[segment]
        if len(text) % 4 == 0:  # all bits say something: let there be a segment that has some left
            return case.good + "."
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        parts[segment] = text[:-1] + alphabet[alphabet.index(text[-1]) + 1]
        assert decoded(parts[segment]) == decoded(text)
        if segment < 2:
            signed_text = ".".join(parts[:2])
            parts[2] = encoded(signature_of(signed_text))
        return ".".join(parts)

    return make


def _twice(part: str, name: str) -> Any:
    """Return the maker of a token whose header or claims have a member twice."""

    def make(case: Case) -> str:
        header, claims = json.dumps(HEADER), json.dumps(case.claims)
        other = {"alg": '"none"', "kid": f'"{REFRESH_KEY.kid}"', "sub": '"admin"', "exp": "1"}[name]
        if part == "header":
            header = f"{{{json.dumps(name)}: {other}, {header[1:]}"
        else:
            claims = f"{{{json.dumps(name)}: {other}, {claims[1:]}"
        return signed(header.encode(), claims.encode())

    return make


HOSTILE: dict[str, Any] = {
    # --- algorithms
    "alg none": lambda case: f"{encoded(HEADER | {'alg': 'none'})}.{case.payload}.",
    "alg None": lambda case: f"{encoded(HEADER | {'alg': 'nOnE'})}.{case.payload}.{case.signature}",
    "alg none, signed": lambda case: case.resigned({"alg": "none"}),
    "alg null": lambda case: case.resigned({"alg": None}),
    "alg a list": lambda case: case.resigned({"alg": ["ES256"]}),
    "alg HS256 with the public key in PEM": lambda case: _hmac_with_the_public_key(case, Encoding.PEM),
    "alg HS256 with the public key in DER": lambda case: _hmac_with_the_public_key(case, Encoding.DER),
    "alg HS256 with the public point": lambda case: _hmac_with_the_public_key(case, Encoding.X962),
    "alg RS256": _rsa,
    "alg ES256K": _another_curve,
    "alg ES384": lambda case: case.resigned({"alg": "ES384"}),
    "alg es256": lambda case: case.resigned({"alg": "es256"}),
    # --- headers
    "no alg": lambda case: signed({"typ": "at+jwt", "kid": ACCESS_KEY.kid}, case.claims),
    "no kid": lambda case: signed({"typ": "at+jwt", "alg": "ES256"}, case.claims),
    "no typ": lambda case: signed({"kid": ACCESS_KEY.kid, "alg": "ES256"}, case.claims),
    "typ JWT": lambda case: case.resigned({"typ": "JWT"}),
    "typ application/at+jwt": lambda case: case.resigned({"typ": "application/at+jwt"}),
    "typ AT+JWT": lambda case: case.resigned({"typ": "AT+JWT"}),
    "typ of a refresh token": lambda case: case.resigned({"typ": "rt+jwt"}),
    "jwk": lambda case: signed(HEADER | {"jwk": OTHER.jwk, "kid": OTHER.kid}, case.claims, OTHER),
    "jwk beside our kid": lambda case: signed(HEADER | {"jwk": OTHER.jwk}, case.claims, OTHER),
    "jku": lambda case: case.resigned({"jku": "https://attacker.example/jwks.json"}),
    "x5u": lambda case: case.resigned({"x5u": "https://attacker.example/cert.pem"}),
    "x5c": lambda case: case.resigned({"x5c": ["MIIB"]}),
    "crit": lambda case: case.resigned({"crit": ["exp"]}),
    "crit b64": lambda case: case.resigned({"crit": ["b64"], "b64": True}),
    "b64 false": lambda case: case.resigned({"crit": ["b64"], "b64": False}),
    "zip": lambda case: case.resigned({"zip": "DEF"}),
    "cty": lambda case: case.resigned({"cty": "JWT"}),
    "header a list": lambda case: signed([HEADER], case.claims),
    "header a text": lambda case: signed("ES256", case.claims),
    "header no JSON": lambda case: signed(b"{", case.claims),
    "header not UTF-8": lambda case: signed(b'{"alg": "\xff"}', case.claims),
    "header with a byte order mark": lambda case: signed(b"\xef\xbb\xbf" + json.dumps(HEADER).encode(), case.claims),
    "header in UTF-16": lambda case: signed(json.dumps(HEADER).encode("utf-16-le"), case.claims),
    "claims in UTF-16": lambda case: signed(HEADER, json.dumps(case.claims).encode("utf-16-le")),
    "alg twice": _twice("header", "alg"),
    "kid twice": _twice("header", "kid"),
    # --- keys
    "kid unknown": lambda case: signed(HEADER | {"kid": OTHER.kid}, case.claims, OTHER),
    "kid of another key": lambda case: signed(HEADER, case.claims, OTHER),
    "kid of the refresh keys": lambda case: signed(HEADER | {"kid": REFRESH_KEY.kid}, case.claims, REFRESH_KEY),
    "kid a number": lambda case: case.resigned({"kid": 1}),
    "kid null": lambda case: case.resigned({"kid": None}),
    "kid a path": lambda case: case.resigned({"kid": "../../../dev/null"}),
    "kid an injection": lambda case: case.resigned({"kid": "' OR 1=1 --"}),
    "kid empty": lambda case: case.resigned({"kid": ""}),
    "kid long": lambda case: case.resigned({"kid": "k" * 100}),
    # --- signatures
    "no signature": lambda case: f"{case.header}.{case.payload}.",
    "no third part": lambda case: f"{case.header}.{case.payload}",
    "signature in DER": _der,
    "r and s zero": _parts(0, 0),
    "r zero": _parts(0, None),
    "s zero": _parts(None, 0),
    "r the order": _parts(ORDER, None),
    "s the order": _parts(None, ORDER),
    "r and s one": _parts(1, 1),
    "signature truncated": lambda case: case.good[:-1],
    "signature longer": lambda case: f"{case.good}AA",
    "signature of other claims": lambda case: f"{case.header}.{encoded(case.claims | {'roles': ['admin']})}.{case.signature}",
    "signature of another header": lambda case: f"{encoded(HEADER | {'x': 1})}.{case.payload}.{case.signature}",
    # --- shape
    "padded": lambda case: f"{case.good}==",
    "padded header": lambda case: f"{case.header}=.{case.payload}.{case.signature}",
    "four parts": lambda case: f"{case.good}.{case.signature}",
    "five parts (JWE)": lambda case: ".".join([case.header] * 5),
    "a part is empty": lambda case: f"{case.header}..{case.signature}",
    "only dots": lambda _: "..",
    "other base64": lambda case: f"{case.header}.{case.payload}.{case.signature[:-4]}+/+/",
    "a line break": lambda case: f"{case.header}.{case.payload}\n.{case.signature}",
    "a space": lambda case: f"{case.header} .{case.payload}.{case.signature}",
    "a digit of another script": lambda case: f"{case.header}.{case.payload}.{case.signature[:-1]}\u0661",
    "half of a character": lambda case: f"{case.header}.{case.payload}.{case.signature[:-1]}\ud800",
    "not canonical, claims": _not_canonical(1),
    "not canonical, signature": _not_canonical(2),
    "huge header": lambda case: signed(HEADER | {"typ": "x" * 9_000}, case.claims),
    "huge claims": lambda case: case.resigned(more="x" * 9_000),
    "nested claims": lambda _: signed(HEADER, b'{"a":' * 250 + b"1" + b"}" * 250),
    "nested lists": lambda _: signed(HEADER, b"[" * 700 + b"]" * 700),
    "a token in a token": lambda case: signed(HEADER, case.good.encode()[:1400]),
    "JSON serialization": lambda case: json.dumps(
        {"protected": case.header, "payload": case.payload, "signature": case.signature}
    ),
    # --- claims
    "claims a list": lambda case: signed(HEADER, [case.claims]),
    "claims a text": lambda _: signed(HEADER, "sub"),
    "claims no JSON": lambda _: signed(HEADER, b"{'sub': 1}"),
    "claims empty": lambda _: signed(HEADER, {}),
    "sub twice": _twice("claims", "sub"),
    "exp twice": _twice("claims", "exp"),
    **{f"no {name}": lambda case, name=name: case.resigned(**{name: None}) for name in ("iss", "aud", "sub", "sid", "jti")},
    **{f"no {name}, ": lambda case, name=name: case.resigned(**{name: None}) for name in ("iat", "exp", "roles")},
    **{
        f"{name} is {value!r}": lambda case, name=name, value=value: case.resigned(**{name: value})
        for name, values in {
            "iss": ["", "https://attacker.example", 1, True, ["urn:tillflow"], {"iss": 1}],
            "aud": ["", "urn:tillflow", 1, True, ["urn:tillflow:access"]],
            "sub": ["", " ", 1, True, ["admin"], {"id": 1}, "a\nb", "x" * 200, "\ud800"],
            "sid": ["", 1, True, [1], "a b", "x" * 200],
            "jti": ["", 1, True],
            "exp": [0, -1, 1.0, 9_999_999_999.0, 1e300, "9999999999", True, [9_999_999_999], {}, float("inf"), float("nan")],
            "iat": [1.5, "1", True, [1], {}],
            "roles": ["admin", {"admin": True}, 1, True, [1], [["admin"]], [None]],
        }.items()
        for value in values
    },
    "aud of refresh tokens": lambda case: case.resigned(aud=case.refresh_claims["aud"]),
    "claims of a refresh token": lambda case: signed(HEADER, case.refresh_claims),
    "a refresh token": lambda case: case.account.refresh(),
    "expired": lambda case: case.resigned(iat=1, exp=clock.epoch(clock.now())),
    "a session of nobody's": lambda case: case.resigned(sid="3f6f9d0e-4c55-4d0a-9b41-6a1c2d3e4f50"),
    "another's session": lambda case: case.resigned(sub="3f6f9d0e-4c55-4d0a-9b41-6a1c2d3e4f50"),
}


@pytest.fixture
def case(world: World) -> Case:
    return Case(accounts.add(world))


def authorize(world: World, text: str) -> Any:
    method, resource = ROUTE.split()
    arn = f"arn:aws:execute-api:us-east-1:1:api/prod/{method}{resource}"
    headers = {"Authorization": f"Bearer {text}"}
    return world.invoke("identity/authorize", {"methodArn": arn, "httpMethod": method, "resource": resource, "headers": headers})


def introspect(world: World, text: str) -> Any:
    return world.call("POST /api/auth/introspect", roles=["admin"], body={"token": text})


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_token_is_refused(world: World, case: Case, name: str) -> None:
    text = HOSTILE[name](case)
    assert text != case.good

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize(world, text)
    if name == "a refresh token":
        return  # it is active: what it is, introspection says
    answer = introspect(world, text)
    assert (answer.status, answer.json) == (200, {"active": False}) or answer.status == 422, answer


@pytest.mark.parametrize("position", range(0, 620, 13))
def test_no_character_can_be_changed(world: World, case: Case, position: int) -> None:
    position %= len(case.good)
    other = "A" if case.good[position] not in "A." else "B"

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize(world, case.good[:position] + other + case.good[position + 1 :])


def test_the_good_one_is_taken(world: World, case: Case) -> None:
    """What the others are made of: so they are refused for what makes them bad."""
    assert authorize(world, case.good)["principalId"] == case.account.user_id
    assert authorize(world, case.resigned())["principalId"] == case.account.user_id
    assert introspect(world, case.good).json["active"]
