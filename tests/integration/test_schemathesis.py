"""The deployed API does what docs/openapi.json says, whatever is sent: schemathesis makes the requests."""

import subprocess
from pathlib import Path

from local import ROOT
from local.docs import openapi
from local.platform.stack import Stack
from local.process import environment
from tests.integration.scene import Scene, line

CONFIG = Path(__file__).with_name("schemathesis.toml")
SECONDS = 300  # it takes some 40; other work may share the machine


def test_every_answer_is_as_documented_and_none_is_a_server_error(stack: Stack, scene: Scene) -> None:
    settings = {
        "API_URL": stack.api_url,
        "ADMIN_TOKEN": scene.token("admin-of-schemathesis", "admin"),
        "SERVICE_TOKEN": stack.service_token,
        "ORDER_ID": scene.order(line(scene.plenty)).order_id,
        "VARIANT_ID": scene.plenty.variant_id,
        "PYTHONPATH": str(ROOT),  # where the hook is
    }
    command = ["schemathesis", "--config-file", str(CONFIG), "run", str(openapi.PATH)]

    tried = subprocess.run(
        command, cwd=ROOT, env=environment(settings), capture_output=True, text=True, timeout=SECONDS, check=False
    )

    assert tried.returncode == 0, tried.stdout + tried.stderr
