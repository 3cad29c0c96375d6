"""
Secrets, from Secrets Manager, kept for five minutes.

Each secret has a current and, while it is being rotated, a previous version: what was signed with the previous one
still verifies. Both are fetched anew when something fits neither, for it may be a rotation that we have not seen yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tillflow.runtime import aws, faults
from tillflow.runtime.config import setting
from tillflow.runtime.kept import Kept

_KEPT_SECONDS = 300
# What fits no version (anybody can send garbage) asks Secrets Manager no more often than this.
_LOOKED_AGAIN_SECONDS = 10


@dataclass(slots=True)
class _Secret:
    """A secret's *current* version; its *previous* one once somebody has asked for it."""

    current: bytes
    previous: bytes | None = None
    is_whole: bool = False


_cache: dict[str, Kept[_Secret]] = {}


def current(name: str) -> bytes:
    """
    Return the current version of the secret whose ARN is in the environment variable *name*.

    Raises:
        Unavailable: Secrets Manager does not answer, and we have never had it.
        LookupError: it has no version.
    """
    return _kept(name).within(_KEPT_SECONDS).current


def newest(name: str) -> bytes:
    """Return the current version as `current` does, but as it was a few seconds ago: for whom what is kept does not do."""
    return _kept(name).within(_LOOKED_AGAIN_SECONDS).current


def versions(name: str) -> Iterator[bytes]:
    """Yield the current version of the secret, then what else may fit: a newer one, and the previous one (see `current`)."""
    known = current(name)
    yield known
    kept = _kept(name).within(_LOOKED_AGAIN_SECONDS)
    if kept.current != known:
        yield kept.current
    if not kept.is_whole:
        kept.previous, kept.is_whole = _fetch(name, "AWSPREVIOUS"), True
    if kept.previous:
        yield kept.previous


def _kept(name: str) -> Kept[_Secret]:
    return _cache.setdefault(name, Kept(lambda: _look(name)))


def _look(name: str) -> _Secret:
    value = _fetch(name, "AWSCURRENT")
    if value is None:
        raise LookupError(f"The secret behind {name} has no current version.")
    return _Secret(value)


def _fetch(name: str, stage: str) -> bytes | None:
    client = aws.client("secretsmanager")
    try:
        with faults.unavailable("secret store"):
            version = client.get_secret_value(SecretId=setting(name), VersionStage=stage)
            return version["SecretString"].encode() if "SecretString" in version else version["SecretBinary"]
    except client.exceptions.ResourceNotFoundException:
        return None


def forget() -> None:
    """Drop what is kept (tests)."""
    _cache.clear()
