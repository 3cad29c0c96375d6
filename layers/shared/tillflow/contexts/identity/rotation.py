"""
Rotation of the keys of tokens, as Secrets Manager asks for it: four steps, each of which may run again, or late.

A key is published before it signs, and goes when its last token has expired: no live token is ever refused for a rotation.
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from tillflow.contexts.identity import jwks, keyring, keys, tables
from tillflow.contexts.identity.keyring import Key
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, faults
from tillflow.runtime.config import setting
from tillflow.storage import database
from tillflow.storage.commit import Commit, when
from tillflow.values import clock, ids

# How long a key's tokens live after it has ceased to sign, with room: access tokens 15 minutes, refresh tokens 30 days.
_ACCESS_SECONDS = 3_600
_REFRESH_SECONDS = 31 * 24 * 3_600

_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"
_AUTHOR = "tillflow"


class NotOurs(LookupError):
    """Rotation was asked for a secret that holds no keys of tokens, or for a version that is no longer to come."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """One rotation: of the secret *arn* with keys of one *kind* of tokens, to *version*; *stages* are its versions' labels."""

    arn: str
    version: str
    kind: str
    lifetime: int
    stages: dict[str, list[str]]

    @property
    def is_done(self) -> bool:
        """Whether its version is the current one."""
        return _CURRENT in self.stages.get(self.version, ())


def run(step: str, secret: str, version: str) -> None:
    """
    Do one *step* of the rotation of a *secret* to its *version*.

    Raises:
        NotOurs: there is nothing to do, ever.
        Unavailable: an AWS service does not answer; the step may run again.
    """
    if step not in _STEPS:
        raise NotOurs(f"A rotation has no step {step}; it has {', '.join(_STEPS)}.")
    _STEPS[step](_begun(secret, version))


def _begun(secret: str, version: str) -> Rotation:
    described = _ask("describe_secret", SecretId=secret)
    kinds = {
        setting("ACCESS_KEY_SECRET_ARN"): (jwks.ACCESS, _ACCESS_SECONDS),
        setting("REFRESH_KEY_SECRET_ARN"): (jwks.REFRESH, _REFRESH_SECONDS),
    }
    if (arn := described["ARN"]) not in kinds:
        raise NotOurs(f"{arn} holds no keys of tokens.")
    return Rotation(arn, version, *kinds[arn], described.get("VersionIdsToStages", {}))


def _create(rotation: Rotation) -> None:
    """Add a key to those that are, as a version that is not current yet."""
    if _read(rotation, VersionId=rotation.version) is not None:
        return
    present = _read(rotation, VersionStage=_CURRENT) or ()
    made = keyring.rotated(present, keyring.new(clock.epoch(clock.now())), rotation.lifetime)
    # Another run of this step may have been faster: Secrets Manager refuses to write the version anew.
    _ask(
        "put_secret_value",
        SecretId=rotation.arn,
        ClientRequestToken=rotation.version,
        SecretString=keyring.written(made),
        VersionStages=[_PENDING],
    )


def _publish(rotation: Rotation) -> None:
    """Let everybody know the public keys, before the new one signs. One who comes late leaves later ones alone."""
    made = _made(rotation)
    newest = f"{rotation.kind}_since"
    name = "#" + newest
    commit = Commit(Cause(_AUTHOR, (), ids.new()))
    commit.update(
        tables.identity(),
        tables.jwks_key(),
        when=when(f"attribute_not_exists({name}) OR {name} <= :newest", newest=made[0].created_at),
        otherwise=lambda _: NotOurs("Later keys have been published."),
        change={rotation.kind: [key.jwk for key in made], newest: made[0].created_at},
    )
    commit.write()


def _test(rotation: Rotation) -> None:
    """Sign with the new key, and verify with what is published under its name."""
    made = _made(rotation)[0]
    published = database.get(tables.identity(), tables.jwks_key()) or {}
    jwk = next((each for each in published.get(rotation.kind, ()) if each["kid"] == made.kid), None)
    if jwk is None:
        raise NotOurs(f"The key {made.kid} has not been published: setSecret comes before testSecret.")
    algorithm = ECDSA(SHA256())
    keys.from_jwk(jwk).verify(made.private.sign(b"test", algorithm), b"test", algorithm)


def _finish(rotation: Rotation) -> None:
    """Make the new version the current one."""
    if rotation.is_done:
        return
    if _PENDING not in rotation.stages.get(rotation.version, ()):
        raise NotOurs(f"Version {rotation.version} is not to come: another rotation has begun since.")
    present = next((version for version, labels in rotation.stages.items() if _CURRENT in labels), None)
    moved = {"RemoveFromVersionId": present} if present else {}
    _ask(
        "update_secret_version_stage",
        SecretId=rotation.arn,
        VersionStage=_CURRENT,
        MoveToVersionId=rotation.version,
        **moved,
    )


_STEPS: dict[str, Callable[[Rotation], None]] = {
    "createSecret": _create,
    "setSecret": _publish,
    "testSecret": _test,
    "finishSecret": _finish,
}


def _made(rotation: Rotation) -> tuple[Key, ...]:
    found = _read(rotation, VersionId=rotation.version)
    if not found:
        raise NotOurs(f"Version {rotation.version} has no keys: createSecret comes first.")
    return found


def _read(rotation: Rotation, **which: str) -> tuple[Key, ...] | None:
    """Return the keys in a version, or None where it has no value."""
    client = aws.client("secretsmanager")
    try:
        return keyring.read(_ask("get_secret_value", SecretId=rotation.arn, **which)["SecretString"].encode())
    except client.exceptions.ResourceNotFoundException:
        return None


def _ask(operation: str, **parameters: str | list[str]) -> dict[str, Any]:
    with faults.unavailable("secret store"):
        answer: dict[str, Any] = getattr(aws.client("secretsmanager"), operation)(**parameters)
    return answer
