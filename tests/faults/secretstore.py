"""Secrets Manager in memory: versions of secrets and their labels, as far as the stack asks for them."""

import copy
from dataclasses import dataclass, field
from typing import Any

from tests.faults.dynamodb import Refused

type Body = dict[str, Any]

_MISSING = "ResourceNotFoundException"
_FIRST = "11111111-1111-4111-8111-111111111111"


@dataclass(slots=True)
class _Secret:
    """The values of a secret by version, and which version each label is on."""

    values: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


class SecretStore:
    """What is kept, by the secret's name, which is its ARN too."""

    def __init__(self, values: dict[str, str]) -> None:
        self._secrets = {name: _Secret({_FIRST: value}, {"AWSCURRENT": _FIRST}) for name, value in values.items()}

    def snapshot(self) -> Any:
        """Return everything that is kept."""
        return copy.deepcopy(self._secrets)

    def restore(self, snapshot: Any) -> None:
        """Make everything as it was."""
        self._secrets = copy.deepcopy(snapshot)

    def current(self, name: str) -> str:
        """Return the current value of a secret."""
        secret = self._secrets[name]
        return secret.values[secret.labels["AWSCURRENT"]]

    @staticmethod
    def knows(operation: str) -> bool:
        """Tell whether this can be asked."""
        return operation in _OPERATIONS

    def do(self, operation: str, body: Body) -> Body:
        """
        Answer a request.

        Raises:
            Refused: as Secrets Manager refuses it.
        """
        answer: Body = _OPERATIONS[operation](self._secrets[body["SecretId"]], body)
        return answer


def _get(secret: _Secret, body: Body) -> Body:
    version = body.get("VersionId") or secret.labels.get(body["VersionStage"])
    if version not in secret.values:
        raise Refused(_MISSING)
    return {"SecretString": secret.values[version], "VersionId": version}


def _put(secret: _Secret, body: Body) -> Body:
    version, value = body["ClientRequestToken"], body["SecretString"]
    if secret.values.setdefault(version, value) != value:
        raise Refused("ResourceExistsException")
    secret.labels |= dict.fromkeys(body["VersionStages"], version)
    return {"VersionId": version}


def _describe(secret: _Secret, body: Body) -> Body:
    stages = {version: [label for label, on in secret.labels.items() if on == version] for version in secret.values}
    return {"ARN": body["SecretId"], "VersionIdsToStages": {version: labels for version, labels in stages.items() if labels}}


def _move(secret: _Secret, body: Body) -> Body:
    label = body["VersionStage"]
    if secret.labels.get(label) != body["RemoveFromVersionId"]:
        raise Refused("InvalidParameterException")
    if label == "AWSCURRENT":
        secret.labels["AWSPREVIOUS"] = body["RemoveFromVersionId"]
    secret.labels[label] = body["MoveToVersionId"]
    return {}


_OPERATIONS = {"GetSecretValue": _get, "PutSecretValue": _put, "DescribeSecret": _describe, "UpdateSecretVersionStage": _move}
