"""A step of the rotation of the keys of tokens; Secrets Manager calls it four times every 90 days."""

from typing import Any

from tillflow.contexts.identity import rotation
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Do the `Step` for the version `ClientRequestToken` of the secret `SecretId`."""
    begin(context, step=event["Step"], version=event["ClientRequestToken"])
    rotation.run(event["Step"], event["SecretId"], event["ClientRequestToken"])
    logger.info("rotated")
