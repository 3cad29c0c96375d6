"""The emulator's floor: how many requests to an empty function it answers, and how fast."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from local.platform.aws import Aws

STACK_NAME = "tillflow-floor"
TEMPLATE = Path(__file__).with_name("floor.yaml")
REQUESTS_EACH = 25


@dataclass(frozen=True)
class Floor:
    """What the emulator can do: requests a second, and the median seconds of one."""

    rate: float
    seconds: float


def deploy(aws: Aws) -> str:
    """Deploy the empty function; return its URL."""
    cloudformation = aws.cloudformation
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    cloudformation.create_stack(StackName=STACK_NAME, TemplateBody=TEMPLATE.read_text(), Capabilities=capabilities)  # type: ignore[arg-type]
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK_NAME, WaiterConfig={"Delay": 1})
    (stack,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    (output,) = stack["Outputs"]
    return f"{aws.endpoint_url}/_aws/execute-api/{output['OutputValue']}/prod/"


def measure(url: str, callers: int) -> Floor:
    """Have *callers* at once post to *url*, each one request after another."""

    def call(client: httpx.Client) -> float:
        started = time.monotonic()
        client.post(url, json={}).raise_for_status()
        return time.monotonic() - started

    def caller(_: int) -> list[float]:
        with httpx.Client() as client:
            return [call(client) for _ in range(REQUESTS_EACH)]

    with ThreadPoolExecutor(callers) as threads:
        list(threads.map(lambda _: httpx.post(url, json={}), range(callers)))  # The first requests start functions.
        started = time.monotonic()
        seconds = [each for several in threads.map(caller, range(callers)) for each in several]
        return Floor(len(seconds) / (time.monotonic() - started), median(seconds))
