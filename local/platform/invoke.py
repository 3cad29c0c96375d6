"""Run a handful of functions in Lambda's own container, by `sam local invoke` (needs Docker)."""

import json
import subprocess
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from typing import Any

from local import ROOT, STATE, LocalError
from local.platform import sam
from local.process import console, step

IMAGE = "public.ecr.aws/lambda/python:3.13"
LOGS = STATE / "logs"

type Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """
    A function, its sample event with some *changes*, and what its answer must hold.

    A container reaches no emulator: these are answers that need no other service.
    """

    function: str
    event: str
    changes: Json
    answer: Json


CASES = [
    Case("ReportHealthFunction", "system/report_health.json", {"resource": "/healthz"}, {"statusCode": 200}),
    Case("CreateOrderFunction", "orders/create_order.json", {"body": "{}"}, {"statusCode": 422}),
    Case("CreateStockEventFunction", "stock/create_stock_event.json", {"body": "{}"}, {"statusCode": 400}),
    Case("AuthorizeFunction", "identity/authorize.json", {"headers": {}}, {"errorMessage": "Unauthorized"}),
]


def run() -> None:
    """
    Build, then invoke each case in a container of its own.

    Raises:
        LocalError: there is no Docker, or a function did not answer as it must.
    """
    image = f"{IMAGE}-{sam.architecture()}"
    if not _docker("info"):
        raise LocalError("`sam local invoke` needs Docker, and none answers: start it, or see https://docs.docker.com/get-docker")
    pull = ["--skip-pull-image"] if _docker("image", "inspect", image) else []
    with sam.built(LOGS / "build.log", {}):
        for case in CASES:
            with step(f"{case.function} answers {case.answer}"):
                _check(case, pull)
    console.print(f"{len(CASES)} functions ran in {image}")


def _check(case: Case, pull: list[str]) -> None:
    log = LOGS / "invoke.log"
    event = json.loads((ROOT / "events" / case.event).read_text()) | case.changes
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(event, file)
        file.flush()
        answer = json.loads(sam.run("local", "invoke", case.function, "--event", file.name, *pull, log=log, parameters={}))
    if not case.answer.items() <= answer.items():
        raise LocalError(f"{case.function} answered {answer}, must be {case.answer}; its log is {log}")


def _docker(*command: str) -> bool:
    try:
        return subprocess.run(["docker", *command], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
