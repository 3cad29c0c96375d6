"""Which key signs, and which verifies."""

from collections.abc import Mapping
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from jwt.algorithms import ECAlgorithm

from tillflow.contexts.identity import jwks, keyring
from tillflow.errors import Unavailable
from tillflow.runtime import secrets

_ACCESS = "ACCESS_KEY_SECRET_ARN"
_REFRESH = "REFRESH_KEY_SECRET_ARN"

type Signer = tuple[str, EllipticCurvePrivateKey]


def of_access(at: int) -> Signer:
    """
    Return the key of an access token that is issued *at* this second, and its kid.

    Raises:
        Unavailable: there is none yet, or Secrets Manager does not answer.
    """
    return _signer(secrets.current(_ACCESS), at) or _signer(secrets.newest(_ACCESS), at) or _none()


def of_refresh(at: int) -> Signer:
    """Return the key of a refresh token, as `of_access` does of an access token."""
    return _signer(secrets.current(_REFRESH), at) or _signer(secrets.newest(_REFRESH), at) or _none()


def public(kind: str, kid: str) -> EllipticCurvePublicKey | None:
    """Return the public key *kid* of one kind of tokens (`jwks.ACCESS`, `jwks.REFRESH`), or None."""
    found = jwks.find(kind, kid)
    return from_jwk(found) if found else None


def from_jwk(jwk: Mapping[str, str]) -> EllipticCurvePublicKey:
    """Return a public key that we have published."""
    return _public(jwk["x"], jwk["y"])


def _signer(secret: bytes, at: int) -> Signer | None:
    keys = keyring.read(secret)
    key = keyring.signer(keys, at) if keys else None
    return (key.kid, key.private) if key else None


def _none() -> Signer:
    raise Unavailable("There are no keys to sign tokens with yet: rotate_keys makes them, moments after the stack is made.")


@lru_cache(maxsize=16)
def _public(x: str, y: str) -> EllipticCurvePublicKey:
    key = ECAlgorithm.from_jwk({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    if not isinstance(key, EllipticCurvePublicKey):
        raise TypeError("A key to verify with is a public one.")
    return key
