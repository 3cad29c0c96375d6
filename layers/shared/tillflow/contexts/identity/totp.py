"""Time-based one-time passwords (RFC 6238 over RFC 4226): SHA-1, six digits, 30 seconds, as every authenticator app has them."""

import base64
import hmac
from urllib.parse import quote, urlencode

DIGITS = 6
STEP_SECONDS = 30
SECRET_BYTES = 20  # RFC 4226, 4: 160 bits are recommended
ISSUER = "Tillflow"
# A step before and after: clocks differ, and people type (RFC 6238, 5.2).
_AROUND = (0, -1, 1)


def hotp(secret: bytes, counter: int) -> str:
    """Return the one-time password of *counter* (RFC 4226, 5.3)."""
    mac = hmac.digest(secret, counter.to_bytes(8), "sha1")
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(seconds: int) -> int:
    """Return the step that a moment (seconds since 1970) lies in."""
    return seconds // STEP_SECONDS


def matching_step(secret: bytes, code: str, seconds: int, *, after: int = -1) -> int | None:
    """
    Return the step, around the moment *seconds*, that *code* is the password of; None where there is none.

    Only a step *after* the last that was used counts: a code is good once (RFC 6238, 5.2).
    """
    now = step_of(seconds)
    good = [step for step in (now + each for each in _AROUND) if step > after and _same(hotp(secret, step), code)]
    return good[0] if good else None


def shown(secret: bytes) -> str:
    """Return a secret as people type it: base32."""
    return base64.b32encode(secret).decode()


def uri(secret: bytes, account: str) -> str:
    """Return what an authenticator app reads off a QR code (Google Authenticator's key URI format)."""
    parameters = {"secret": shown(secret), "issuer": ISSUER, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{quote(f'{ISSUER}:{account}')}?{urlencode(parameters)}"


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))
