"""
Devices that have logged in to an account before (OWASP: slow down online guessing attacks with device cookies).

A cookie says so, signed for that account alone. Who has it is counted apart from strangers (`attempts.login`), and gets
nothing else by it. It is not read by scripts, and comes with requests of this site alone.
"""

import hmac
import re
from datetime import timedelta

from tillflow.runtime import secrets
from tillflow.values import base64url, clock, ids

_SECRET = "CODE_SECRET_ARN"
_LIFETIME = timedelta(days=180)
# The prefix has browsers take it from https and for the whole host only (RFC 6265bis, 4.1.3.2).
_NAME = "__Host-device"
_COOKIE = re.compile(rf"(?:^|;)\s*{_NAME}=([A-Za-z0-9._-]{{1,128}})\s*(?:;|$)")
_VALUE = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})", re.ASCII)


def cookie(account: str) -> str:
    """Return the `Set-Cookie` header of a device that has just logged in to *account* (a folded mail address)."""
    device, until = ids.short(ids.new()), clock.epoch(clock.now() + _LIFETIME)
    value = f"{device}.{until}.{_mac(secrets.current(_SECRET), device, until, account)}"
    return f"{_NAME}={value}; Max-Age={int(_LIFETIME.total_seconds())}; Path=/; Secure; HttpOnly; SameSite=Strict"


def known(sent: str, account: str) -> str | None:
    """Return the id of the device whose cookies these are (a `Cookie` header), if it has logged in to *account*, else None."""
    found = _COOKIE.search(sent)
    shape = _VALUE.fullmatch(found[1]) if found else None
    if shape is None or clock.epoch(clock.now()) >= int(shape[2]):
        return None
    macs = (_mac(secret, shape[1], int(shape[2]), account) for secret in secrets.versions(_SECRET))
    return shape[1] if any(hmac.compare_digest(mac, shape[3]) for mac in macs) else None


def _mac(secret: bytes, device: str, until: int, account: str) -> str:
    # A MAC of a device is none of a code (codes.py): each says what it is of.
    signed = hmac.digest(secret, f"device\n{device}\n{until}\n{account}".encode("utf-8", "surrogatepass"), "sha256")
    return base64url.encode(signed)
