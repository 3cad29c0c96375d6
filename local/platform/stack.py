"""What a deployed stack is made of: `stack.json`, enough for any HTTP client to use everything."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import LocalError
from local.platform.aws import Aws

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

FUNCTION = "AWS::Lambda::Function"
NESTED = "AWS::CloudFormation::Stack"
STATE_MACHINE = "AWS::StepFunctions::StateMachine"
TABLE = "AWS::DynamoDB::Table"


@dataclass(frozen=True)
class Resource:
    """One resource of a deployed stack; *within* is the logical id of the nested stack that has it, empty for the root."""

    within: str
    logical_id: str
    physical_id: str
    kind: str


@dataclass(frozen=True)
class Stack:
    """A stack as deployed; tables and state machines by their logical ids."""

    api_url: str
    endpoint_url: str
    region: str
    stack_name: str
    state_machines: dict[str, str]
    tables: dict[str, str]
    event_bus: str
    service_token: str
    cart_snapshot_secret: str
    # Empty where another `make up` made the administrator, and its stack.json is gone.
    admin_email: str = ""
    admin_password: str = ""

    @cached_property
    def aws(self) -> Aws:
        """The services that the stack runs on."""
        return Aws(self.endpoint_url, self.region)

    @cached_property
    def functions(self) -> dict[str, "FunctionConfigurationTypeDef"]:
        """Lambda's configuration of each function, by its logical id."""
        pages = self.aws.lambda_.get_paginator("list_functions").paginate()
        deployed = {each["FunctionName"]: each for page in pages for each in page["Functions"]}
        own = _physical_ids(list(resources(self.aws, self.stack_name)), FUNCTION)
        return {logical_id: deployed[name] for logical_id, name in own.items()}

    def variables(self, function: str) -> dict[str, str]:
        """Return what a function, by its logical id, has in its environment."""
        return self.functions[function]["Environment"]["Variables"]

    def invoke(self, function: str, payload: Mapping[str, Any]) -> Any:
        """
        Return what a function, by its logical id, answers to *payload*.

        Raises:
            LocalError: it failed.
        """
        answer = self.aws.lambda_.invoke(FunctionName=self.functions[function]["FunctionName"], Payload=json.dumps(payload))
        said = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise LocalError(f"{function} answered {said}")
        return said

    def write(self, path: Path) -> None:
        """Save as *path*: it holds secrets."""
        write_private(path, asdict(self))


def write_private(path: Path, data: Mapping[str, Any]) -> None:
    """Save *data* as JSON, for its owner's eyes only."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(data, file, indent=2)


def path_in(state: Path) -> Path:
    """Return where the stack deployed from *state* is written down."""
    return state / "stack.json"


def read(state: Path) -> Stack:
    """
    Return the stack that was deployed from *state*.

    Raises:
        LocalError: there is none.
    """
    try:
        return Stack(**json.loads(path_in(state).read_text()))
    except FileNotFoundError:
        raise LocalError("nothing is deployed: run `make up` first") from None
    except (ValueError, TypeError):
        raise LocalError(f"{path_in(state)} is not what `make up` writes: run `make up` again") from None


def describe(aws: Aws, stack_name: str) -> Stack:
    """Return *stack_name* as CloudFormation and Secrets Manager know it."""
    (described,) = aws.cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    found = list(resources(aws, stack_name))
    return Stack(
        # The API's own URL is on AWS; emulators serve it here.
        api_url=f"{aws.endpoint_url}/_aws/execute-api/{outputs['RestApiId']}/{outputs['StageName']}",
        endpoint_url=aws.endpoint_url,
        region=aws.region,
        stack_name=stack_name,
        state_machines=_physical_ids(found, STATE_MACHINE),
        tables=_physical_ids(found, TABLE),
        event_bus=outputs["EventBusName"],
        service_token=_secret(aws, outputs["ServiceTokenSecretArn"]),
        cart_snapshot_secret=_secret(aws, outputs["CartSnapshotSecretArn"]),
    )


def resources(aws: Aws, stack_name: str, within: str = "") -> Iterator[Resource]:
    """Yield every resource of a stack and of the stacks nested in it."""
    for page in aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name):
        for each in page["StackResourceSummaries"]:
            logical_id, physical_id = each["LogicalResourceId"], each["PhysicalResourceId"]
            if each["ResourceType"] == NESTED:
                yield from resources(aws, physical_id, logical_id)
            else:
                yield Resource(within, logical_id, physical_id, each["ResourceType"])


def _physical_ids(found: list[Resource], kind: str) -> dict[str, str]:
    return {each.logical_id: each.physical_id for each in found if each.kind == kind}


def _secret(aws: Aws, arn: str) -> str:
    return aws.secretsmanager.get_secret_value(SecretId=arn)["SecretString"]
