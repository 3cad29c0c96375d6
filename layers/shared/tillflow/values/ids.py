"""
Identifiers.

An id that names the effect of something else is derived from it (RFC 9562 version 5): the same snapshot is
always the same order, the same order always the same reservation. Uniqueness then needs no second item.
"""

import uuid
from datetime import datetime

from tillflow.values import base64url

_TILLFLOW = uuid.UUID("6f0d2c1e-5d0a-5b57-9c3f-7e1f5c2b9a10")


def new() -> str:
    """Return a fresh random UUID."""
    return str(uuid.uuid4())


def ordered(moment: datetime) -> str:
    """Return a fresh UUID; those of an earlier *moment* sort before it (RFC 9562, version 7)."""
    random = uuid.UUID(new()).int & ((1 << 76) - 1)
    return str(uuid.UUID(int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | random))


def derived(kind: str, of: str) -> str:
    """Return the one id of this *kind* that follows from *of*, e.g. `derived("reservation", order_id)`."""
    return str(uuid.uuid5(_TILLFLOW, f"{kind}:{of}"))


def canonical(uuid_text: str) -> str:
    """Return a UUID, however it is written, as we write it: in lower case, with hyphens."""
    return str(uuid.UUID(uuid_text))


def trace_id(sent: str) -> str:
    """Return the caller's trace id as we write it, or a new one where it is no UUID."""
    return sent.lower() if is_uuid(sent) else new()


def is_uuid(text: str) -> bool:
    """Tell whether *text* is a UUID with its hyphens, in either case."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def short(uuid_text: str) -> str:
    """Return a UUID as 22 characters (base64url), for keys of which there are many."""
    return base64url.encode(uuid.UUID(uuid_text).bytes)


def unshort(text: str) -> str:
    """Return the UUID that `short` made *text* of."""
    return str(uuid.UUID(bytes=base64url.decode(text)))
