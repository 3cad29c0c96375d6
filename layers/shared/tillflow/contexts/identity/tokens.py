"""
Tokens of sessions: JWTs (RFC 7519) under ES256. An access token opens routes, a refresh token the next access token.

Each kind has its own `typ` (RFC 8725, 3.11), audience and keys, so that neither is ever taken for the other. Everything that
can be known of a text without cryptography is looked at first.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import ECAlgorithm
from jwt.api_jws import PyJWS
from jwt.exceptions import InvalidTokenError
from jwt.utils import der_to_raw_signature

from tillflow.contexts.identity import jwks, keys
from tillflow.contexts.identity.keys import Signer
from tillflow.runtime.config import setting
from tillflow.values import base64url, clock, ids, jsontext

ACCESS_SECONDS = 900
_ALGORITHM = "ES256"
# Header, claims, and a signature of 64 bytes, in base64url.
_TOKEN = re.compile(r"([\w-]{1,256})\.([\w-]{1,2048})\.[\w-]{86}", re.ASCII)
_KID = re.compile(r"[\w-]{43}", re.ASCII)
_NAME = re.compile(r"[\x21-\x7e]{1,128}")

type Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What tells tokens of one kind from those of the other: the header's *typ*, and whose keys sign them."""

    typ: str
    keys: str

    @property
    def audience(self) -> str:
        """Whom they are for."""
        return f"{setting('TOKEN_ISSUER')}:{self.keys}"


_ACCESS = _Kind("at+jwt", jwks.ACCESS)
_REFRESH = _Kind("rt+jwt", jwks.REFRESH)


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token says; times are seconds since 1970."""

    user_id: str
    session_id: str
    roles: tuple[str, ...]
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a refresh token says: it is the session's *generation*; times are seconds since 1970."""

    user_id: str
    session_id: str
    generation: int
    issued_at: int
    expires_at: int


def access(user_id: str, session_id: str, roles: tuple[str, ...], at: datetime) -> str:
    """
    Return an access token, good for `ACCESS_SECONDS` from *at*.

    Raises:
        Unavailable: there is no key yet, or Secrets Manager does not answer.
    """
    issued = clock.epoch(at)
    claims = {"roles": list(roles), "jti": ids.new(), "iat": issued, "exp": issued + ACCESS_SECONDS}
    return _signed(_ACCESS, user_id, session_id, claims, keys.of_access(issued))


def refresh(user_id: str, session_id: str, generation: int, issued_at: datetime, expires_at: int) -> str:
    """
    Return the refresh token of a session's *generation*: the same for the same arguments.

    Raises:
        Unavailable: as `access`.
    """
    issued = clock.epoch(issued_at)
    jti = ids.derived("refresh", f"{session_id}\n{generation}")
    claims = {"gen": generation, "jti": jti, "iat": issued, "exp": expires_at}
    return _signed(_REFRESH, user_id, session_id, claims, keys.of_refresh(issued))


def read_access(text: str) -> Access | None:
    """
    Return what a valid access token says; None for every reason not to.

    Raises:
        Unavailable: the database does not answer, and we have never had the public keys.
    """
    claims = _read(text, _ACCESS)
    roles = claims.get("roles") if claims else None
    if claims is None or not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        return None
    return Access(claims["sub"], claims["sid"], tuple(roles), claims["iat"], claims["exp"])


def read_refresh(text: str) -> Refresh | None:
    """Return what a valid refresh token says, as `read_access` does."""
    claims = _read(text, _REFRESH)
    if claims is None or type(claims.get("gen")) is not int:
        return None
    return Refresh(claims["sub"], claims["sid"], claims["gen"], claims["iat"], claims["exp"])


class _Deterministic(ECAlgorithm):
    """ES256 that signs the same text the same way (RFC 6979)."""

    @override
    def sign(self, msg: bytes, key: EllipticCurvePrivateKey) -> bytes:
        return der_to_raw_signature(key.sign(msg, ECDSA(SHA256(), deterministic_signing=True)), key.curve)


_JWS = PyJWS(algorithms=[])
_JWS.register_algorithm(_ALGORITHM, _Deterministic(SHA256, SECP256R1))


def _signed(kind: _Kind, user_id: str, session_id: str, claims: Claims, signer: Signer) -> str:
    kid, key = signer
    whole = {"iss": setting("TOKEN_ISSUER"), "aud": kind.audience, "sub": user_id, "sid": session_id} | claims
    return _JWS.encode(jsontext.dumps(whole).encode(), key, _ALGORITHM, {"typ": kind.typ, "kid": kid})


def _read(text: str, kind: _Kind) -> Claims | None:
    """Return the claims of a valid token of this *kind*, with what every token has in its exact type."""
    kid = _kid(text, kind)
    key = keys.public(kind.keys, kid) if kid else None
    if key is None:
        return None
    try:
        claims = _object(_JWS.decode(text, key, [_ALGORITHM]))
    except InvalidTokenError:
        return None
    return claims if claims is not None and _holds(claims, kind) else None


def _kid(text: str, kind: _Kind) -> str | None:
    """Return the key that a token of this *kind* names: its header says nothing but that, its type and the one algorithm."""
    parts = _TOKEN.fullmatch(text)
    if not parts:
        return None
    try:
        header = _object(base64url.decode(parts[1]))
    except ValueError:  # no base64
        return None
    if header is None or header.keys() != {"alg", "kid", "typ"} or (header["alg"], header["typ"]) != (_ALGORITHM, kind.typ):
        return None
    kid = header["kid"]
    return kid if isinstance(kid, str) and _KID.fullmatch(kid) else None


def _holds(claims: Claims, kind: _Kind) -> bool:
    """Tell whether *claims* are ours, whole, and not over. Nothing is read as what it is not: `true` is no second."""
    texts = [claims.get(name) for name in ("sub", "sid", "jti")]
    issued, expires = claims.get("iat"), claims.get("exp")
    return (
        (claims.get("iss"), claims.get("aud")) == (setting("TOKEN_ISSUER"), kind.audience)
        and all(isinstance(text, str) and _NAME.fullmatch(text) for text in texts)
        and type(issued) is int
        and type(expires) is int
        and clock.epoch(clock.now()) < expires
    )


def _object(text: bytes) -> dict[str, Any] | None:
    """Return a JSON object each of whose names stands there once; None for anything else."""
    try:
        read = json.loads(text.decode(), object_pairs_hook=_once)  # of bytes, json would guess the encoding
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(read := dict(pairs)) < len(pairs):
        raise ValueError("A name stands there twice.")
    return read
