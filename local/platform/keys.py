"""The keys of tokens on an emulator, which knows no rotation: made as Secrets Manager would have it done, once."""

import json
from uuid import uuid4

from local import process
from local.platform.stack import Stack

ROTATES = "RotateKeysFunction"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_SECRETS = ("ACCESS_KEY_SECRET_ARN", "REFRESH_KEY_SECRET_ARN")


def make(stack: Stack) -> None:
    """
    Let *stack* have keys of each kind, if it has none.

    Raises:
        LocalError: a step failed.
    """
    variables = stack.variables(ROTATES)
    for secret in (variables[name] for name in _SECRETS):
        value = stack.aws.secretsmanager.get_secret_value(SecretId=secret)["SecretString"]
        if not json.loads(value)["keys"]:
            with process.step("make the keys of tokens"):
                version = str(uuid4())
                for step in STEPS:
                    stack.invoke(ROTATES, {"Step": step, "SecretId": secret, "ClientRequestToken": version})
