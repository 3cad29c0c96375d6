"""
Tokens: `payload.signature`, both base64url without padding (contract: event-contracts.md, Auth API).

The payload is the JSON object `{"sub", "roles", "iat", "exp"}` (times in seconds); the signature is HMAC-SHA256 over
the payload's text.
"""

import binascii
import hmac
import json
from dataclasses import dataclass

from tillflow.values import base64url


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says: *user_id* has *roles* from *issued_at* until *expires_at* (epoch seconds)."""

    user_id: str
    roles: tuple[str, ...]
    issued_at: int
    expires_at: int


def issue(token: Token, secret: bytes) -> str:
    """Return *token* as text, signed with *secret*."""
    claims = {"sub": token.user_id, "roles": list(token.roles), "iat": token.issued_at, "exp": token.expires_at}
    payload = base64url.encode(json.dumps(claims, separators=(",", ":")).encode())
    return f"{payload}.{_signature(payload, secret)}"


def read(text: str, secret: bytes, now: int) -> Token | None:
    """Return what *text* says if it was signed with *secret* and is valid at *now*; None for every reason not to."""
    payload, _, signature = text.partition(".")
    if not hmac.compare_digest(_signature(payload, secret).encode(), signature.encode("utf-8", "surrogatepass")):
        return None
    try:
        claims = json.loads(base64url.decode(payload))
        token = Token(claims["sub"], tuple(claims["roles"]), int(claims["iat"]), int(claims["exp"]))
    except (binascii.Error, KeyError, TypeError, ValueError):
        return None
    return token if now < token.expires_at else None


def _signature(payload: str, secret: bytes) -> str:
    return base64url.encode(hmac.digest(secret, payload.encode("utf-8", "surrogatepass"), "sha256"))
