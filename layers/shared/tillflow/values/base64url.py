"""Base64 for URLs and headers, without padding (RFC 4648, section 5; RFC 7515, appendix C)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(raw: bytes) -> str:
    """Return *raw* as text."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """
    Return what a *text* says. Several say the same: what must be one is to be encoded again and compared.

    Raises:
        ValueError: it says nothing.
    """
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
