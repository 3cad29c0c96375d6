"""Typed clients of an emulator's services: its endpoint, its dummy credentials, nothing of the machine's own."""

import os
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config
from localstack_client import config  # type: ignore[import-untyped] # ships no types

from local import LocalError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

REGION = "us-east-1"
# Emulators take these for the account's root.
ACCESS_KEY = SECRET_KEY = "test"
# What a LocalStack user says where it is with; localstack-client reads them, and USE_SSL.
NAMED_BY = ("AWS_ENDPOINT_URL", "LOCALSTACK_HOST")
# A developer's profile may be none of this machine's, or have settings for real accounts: (no name in a file, no variable).
_NO_PROFILE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def named_endpoint() -> str | None:
    """
    Return the endpoint that the environment names as LocalStack's own tools understand it, or None.

    Raises:
        LocalError: it cannot be understood.
    """
    if not any(os.environ.get(name) for name in NAMED_BY):
        return None
    try:
        return str(config.get_service_endpoint("cloudformation"))
    except RuntimeError as error:
        raise LocalError(f"LOCALSTACK_HOST must be <host>:<port> ({error})") from None


class Aws:
    """The services behind *endpoint_url*, each under its name; a client is made once, when first used."""

    cloudformation: "CloudFormationClient"
    dynamodb: "DynamoDBClient"
    events: "EventBridgeClient"
    lambda_: "LambdaClient"
    logs: "CloudWatchLogsClient"
    secretsmanager: "SecretsManagerClient"
    sqs: "SQSClient"
    stepfunctions: "SFNClient"

    def __init__(self, endpoint_url: str, region: str = REGION, config: Config | None = None) -> None:
        self.endpoint_url, self.region, self._config = endpoint_url, region, config
        self._session = boto3.Session(ACCESS_KEY, SECRET_KEY, None, region, botocore.session.Session(_NO_PROFILE))

    def patient(self, config: Config) -> "Aws":
        """Return the same with a *config* of their own."""
        return Aws(self.endpoint_url, self.region, config)

    if not TYPE_CHECKING:  # there are no others than those above

        def __getattr__(self, name: str) -> object:
            """Return the client of a service that is used for the first time."""
            if name not in Aws.__annotations__:
                raise AttributeError(name)
            client = self._session.client(name.rstrip("_"), endpoint_url=self.endpoint_url, config=self._config)
            setattr(self, name, client)
            return client
