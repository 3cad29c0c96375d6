"""
The keys that sign tokens of one kind, newest first, and which of them signs when. No I/O.

As a secret they are `{"keys": [{"kid", "pem", "created_at"}, …]}`: PEM in PKCS 8, seconds since 1970.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from tillflow.values import base64url

# Who verifies knows a key five minutes after it was published, from the table, or ten, by way of the JWK set: then it signs.
LEAD_SECONDS = 900
CURVE = ec.SECP256R1


@dataclass(frozen=True, slots=True)
class Key:
    """One key pair: its *kid* (RFC 7638), its private key as *pem*, and when it was made."""

    kid: str
    pem: str
    created_at: int

    @property
    def private(self) -> ec.EllipticCurvePrivateKey:
        """The private key."""
        return _private(self.pem)

    @property
    def jwk(self) -> dict[str, str]:
        """The public key, as anybody may have it (RFC 7517)."""
        return _jwk(self.private) | {"kid": self.kid, "use": "sig", "alg": "ES256"}


def key_of(private: ec.EllipticCurvePrivateKey, created_at: int) -> Key:
    """Return a private key with its name."""
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Key(thumbprint(_jwk(private)), pem, created_at)


def new(now: int) -> Key:
    """Return a new key."""
    return key_of(ec.generate_private_key(CURVE()), now)


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the name of a public key, given its required members alone (RFC 7638: SHA-256 of them, in order, without spaces)."""
    return base64url.encode(sha256(json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()).digest())


def read(secret: bytes) -> tuple[Key, ...]:
    """Return the keys in a secret, newest first."""
    return tuple(Key(**each) for each in json.loads(secret)["keys"])


def written(keys: tuple[Key, ...]) -> str:
    """Return *keys* as a secret."""
    return json.dumps({"keys": [asdict(key) for key in keys]})


def rotated(keys: tuple[Key, ...], fresh: Key, lifetime: int) -> tuple[Key, ...]:
    """Return *keys* with a *fresh* one before them, without those whose last token, of *lifetime* seconds, has expired by now."""
    newer = (fresh, *keys)
    return fresh, *(key for key, after in zip(keys, newer, strict=False) if _begins(after) + lifetime > fresh.created_at)


def signer(keys: tuple[Key, ...], at: int) -> Key:
    """
    Return the key of a token that is issued *at* this second.

    The same *at* is the same key, whoever knows of a newer one already, for as long as the token lives: that newer one
    begins later.
    """
    return next((key for key in keys if _begins(key) <= at), keys[-1])


def _begins(key: Key) -> int:
    return key.created_at + LEAD_SECONDS


@lru_cache(maxsize=8)
def _private(pem: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, CURVE):
        raise TypeError("The keys of tokens lie on the curve P-256.")
    return key


def _jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    size = key.key_size // 8
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": base64url.encode(numbers.x.to_bytes(size)),
        "y": base64url.encode(numbers.y.to_bytes(size)),
    }
