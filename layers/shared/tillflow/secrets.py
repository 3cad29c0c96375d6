"""
Secrets, from Secrets Manager, kept for five minutes.

Each secret has a current and, while it is being rotated, a previous version: what was signed with the previous one
still verifies. The previous version is fetched only when the current one does not fit.
"""

from collections.abc import Iterator

from tillflow import aws, clock, faults
from tillflow.config import setting

_KEPT_SECONDS = 300
_cache: dict[tuple[str, str], tuple[float, bytes | None]] = {}


def current(name: str) -> bytes:
    """Return the current version of the secret whose ARN is in the environment variable *name*."""
    value = _version(name, "AWSCURRENT")
    if value is None:
        raise LookupError(f"The secret behind {name} has no current version.")
    return value


def versions(name: str) -> Iterator[bytes]:
    """Yield the current version of the secret, then the previous one if there is one and it is asked for."""
    yield current(name)
    if before := _version(name, "AWSPREVIOUS"):
        yield before


def _version(name: str, stage: str) -> bytes | None:
    until, value = _cache.get((name, stage), (0.0, None))
    if clock.monotonic() >= until:
        client = aws.client("secretsmanager")
        try:
            with faults.unavailable("secret store"):
                value = client.get_secret_value(SecretId=setting(name), VersionStage=stage)["SecretString"].encode()
        except client.exceptions.ResourceNotFoundException:
            value = None
        _cache[name, stage] = (clock.monotonic() + _KEPT_SECONDS, value)
    return value


def forget() -> None:
    """Drop what is kept (tests)."""
    _cache.clear()
