"""
Passwords: which are good enough, and how they are kept (NIST SP 800-63B-4 3.1.1, OWASP ASVS 5.0 V6.2; docs/adr/0019).

Hashes are argon2id (RFC 9106) in its usual text, which says its parameters. argon2 is imported by what needs it alone.
"""

import unicodedata
from typing import TYPE_CHECKING

from tillflow.contexts.identity import guessable
from tillflow.errors import Invalid

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 15
LONGEST = 256
# OWASP's password storage cheat sheet, the second of its equal choices; one lane, for a Lambda has one core or so.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
# Nobody's hash, of the present parameters: to check it is the same work.
_NOBODY = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"
# Control characters, halves of characters, and what is none: no normal form of these is stable (UAX 15, 12.1).
_NOT_TEXT = {"Cc", "Cs", "Cn"}
_ADVICE = "Three or four words that have nothing to do with each other make a good one."


class WeakPassword(Invalid):
    """The password is too short, too long, or among the first that somebody would guess."""

    code = "WEAK_PASSWORD"
    title = "Weak password"


def check(password: str, *, email: str, name: str) -> None:
    """
    Go on only with a password that its user, who has this *email* and *name*, may have from now on.

    Raises:
        WeakPassword: they may not; the message says what to do.
    """
    if len(password) > LONGEST:
        raise WeakPassword(f"A password has at most {LONGEST} characters.")
    text = _normal(password)
    if any(unicodedata.category(character) in _NOT_TEXT for character in text):
        raise WeakPassword("A password has no control characters, such as tabs or ends of lines.")
    if len(text) < SHORTEST:
        raise WeakPassword(f"A password has at least {SHORTEST} characters. {_ADVICE}")
    folded = guessable.folded(text)
    left = guessable.without_own(folded, email=email, name=name)
    if len(left) < SHORTEST:
        raise WeakPassword(
            f"Leave out your name, your address and ours: a password has at least {SHORTEST} characters beside them. {_ADVICE}"
        )
    if guessable.is_common(folded, SHORTEST) or guessable.is_common(left, SHORTEST):
        raise WeakPassword(f"This password, or what it is made of, is among the first that anybody would guess. {_ADVICE}")


def hashed(password: str) -> str:
    """Return the hash to keep of *password*, with a salt of its own."""
    return _hasher().hash(_bytes(password))


def matches(kept: str | None, password: str) -> bool:
    """Tell whether *kept* is a hash of *password*. Where there is none it never is, and that is as much work."""
    from argon2.exceptions import VerifyMismatchError

    try:
        _hasher().verify(kept or _NOBODY, _bytes(password))
    except VerifyMismatchError:
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Tell whether a hash was made with other parameters than today's: the next login has the password to hash anew."""
    return _hasher().check_needs_rehash(kept)


def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _bytes(password: str) -> bytes:
    # A login may come with half of a character: it matches nothing, for no password has one.
    return _normal(password).encode("utf-8", "surrogatepass")
