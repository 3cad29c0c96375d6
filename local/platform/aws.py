"""Typed clients of an emulator's services: its endpoint, its dummy credentials, nothing of the machine's own."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
import botocore.session
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


@dataclass(frozen=True)
class Aws:
    """The services behind *endpoint_url*; each client is made once, when first used."""

    endpoint_url: str
    region: str = REGION

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """Stacks, their resources and outputs."""
        return self._session.client("cloudformation", endpoint_url=self.endpoint_url)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """Tables."""
        return self._session.client("dynamodb", endpoint_url=self.endpoint_url)

    @cached_property
    def events(self) -> "EventBridgeClient":
        """The event bus."""
        return self._session.client("events", endpoint_url=self.endpoint_url)

    @cached_property
    def awslambda(self) -> "LambdaClient":
        """Lambda."""
        return self._session.client("lambda", endpoint_url=self.endpoint_url)

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """What functions logged."""
        return self._session.client("logs", endpoint_url=self.endpoint_url)

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        """Secrets."""
        return self._session.client("secretsmanager", endpoint_url=self.endpoint_url)

    @cached_property
    def sqs(self) -> "SQSClient":
        """Queues, dead letters among them."""
        return self._session.client("sqs", endpoint_url=self.endpoint_url)

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        """State machines and their executions."""
        return self._session.client("stepfunctions", endpoint_url=self.endpoint_url)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(ACCESS_KEY, SECRET_KEY, None, self.region, botocore.session.Session(_NO_PROFILE))
