"""
The public keys of tokens: one item of the identity table, kept for five minutes.

It has a list of JWKs (RFC 7517) for each kind of token. Whoever only verifies never sees a private key.
"""

from typing import Any

from tillflow.contexts.identity import tables
from tillflow.runtime.kept import Kept
from tillflow.storage import database
from tillflow.storage.attributes import Item

ACCESS, REFRESH = "access", "refresh"
KEPT_SECONDS = 300
# What names no key that we know asks the table no more often than this: anybody can send garbage.
_LOOKED_AGAIN_SECONDS = 10


def _look() -> Item:
    return database.get(tables.identity(), tables.jwks_key()) or {}


_cache = [Kept(_look)]


def of(kind: str) -> list[dict[str, Any]]:
    """Return the public keys of one kind of tokens, newest first; none before the first rotation."""
    return _list(kind, KEPT_SECONDS) or _list(kind, _LOOKED_AGAIN_SECONDS)


def find(kind: str, kid: str) -> dict[str, Any] | None:
    """
    Return the public key that is named *kid*, among those of one kind of tokens, or None.

    Raises:
        Unavailable: the database does not answer, and we have never had them.
    """
    for seconds in (KEPT_SECONDS, _LOOKED_AGAIN_SECONDS):
        found = next((each for each in _list(kind, seconds) if each["kid"] == kid), None)
        if found:
            return found
    return None


def _list(kind: str, seconds: float) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = _cache[0].within(seconds).get(kind, [])
    return keys


def forget() -> None:
    """Drop what is kept (tests)."""
    _cache[:] = [Kept(_look)]
