"""
Functions at work in Lambda's own container, by `sam local invoke` (needs Docker), on an emulator of their own.

Each answers a fresh event, and what it writes is there for all others: the order that CreateOrder takes is confirmed by
the saga.
"""

import json
import shutil
import subprocess
from tempfile import NamedTemporaryFile
from typing import Any

from local import STATE, LocalError
from local.platform import container, emulator, sam
from local.platform.deploy import deploy
from local.platform.stack import Stack
from local.process import console, run, step
from local.shop import fresh, samples
from local.shop.client import connect
from local.wait import until

IMAGE = "public.ecr.aws/lambda/python:3.13"
CREATE_ORDER = "CreateOrderFunction"
# A handful, each behind another kind of trigger, and what its answer must hold.
CASES: dict[str, dict[str, Any]] = {
    "AuthorizeFunction": {"principalId": "service"},
    "CreateStockEventFunction": {"statusCode": 201},
    CREATE_ORDER: {"statusCode": 201},
    "ChargePaymentFunction": {},
    "PublishEventsFunction": {},
    "RouteEventsFunction": {"batchItemFailures": []},
}
SECONDS = 60
OWN = STATE / "sam-local"


def check() -> None:
    """
    Build, deploy, and invoke each case in a container of its own.

    Raises:
        LocalError: there is no Docker, a function did not answer as it must, or the order was not confirmed.
    """
    image = f"{IMAGE}-{sam.architecture()}"
    if not _docker("info"):
        raise LocalError("`sam local invoke` needs Docker, and none answers: start it, or see https://docs.docker.com/get-docker")
    pull = ["--skip-pull-image"] if _docker("image", "inspect", image) else []
    try:
        stack = deploy(emulator.start(OWN, host=container.host()).endpoint, OWN)
        with sam.built(OWN / "logs" / "build.log", {}):
            for function, must in CASES.items():
                with step(f"{function} answers {must}"):
                    answer = _answer(stack, function, pull)
                    if "errorMessage" in answer or not must.items() <= answer.items():
                        raise LocalError(f"{function} answered {answer}, must be {must}; logs are in {OWN}")
                    if function == CREATE_ORDER:
                        _await_confirmation(stack, json.loads(answer["body"])["orderId"])
    finally:
        emulator.stop(OWN)
    shutil.rmtree(OWN)
    console.print(f"{len(CASES)} functions ran in {image}, and their order is confirmed")


def _answer(stack: Stack, function: str, pull: list[str]) -> dict[str, Any]:
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(fresh.event(stack, samples.names()[function]), file)
        file.flush()
        command = ["sam", *container.invocation(function, file.name, OWN), *pull]
        return json.loads(run(command, OWN / "logs" / "invoke.log", sam.ENVIRONMENT)) or {}


def _await_confirmation(stack: Stack, order_id: str) -> None:
    service = connect(stack.api_url, {"X-Service-Token": stack.service_token})
    buyer = connect(stack.api_url, {"Authorization": f"Bearer {service.issue_token(samples.BUYER, ['buyer'])}"})

    def confirmed() -> bool | None:
        return buyer.order(order_id)["status"] == "confirmed" or None

    until(confirmed, seconds=SECONDS, what=f"order {order_id} to be confirmed")


def _docker(*command: str) -> bool:
    try:
        return subprocess.run(["docker", *command], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
