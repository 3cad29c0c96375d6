"""Typed clients of an emulator's services: its endpoint, its dummy credentials, nothing of the machine's own."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3

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
        return boto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=self.region)
