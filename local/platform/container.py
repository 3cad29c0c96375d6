"""
What `sam local invoke`'s containers need to work on the stack: a way to its emulator, and the functions' variables.

A container has a loopback address of its own. Docker Desktop (macOS, Windows, Linux) leads `host.docker.internal` to this
machine's. Docker Engine on Linux leads to the address of its bridge only, so there the emulator must listen on it:
`TILLFLOW_HOST=docker make up`. (`sam local invoke --docker-network host` leaves the container on the bridge:
aws-sam-cli issue 4236.)
"""

import ipaddress
import json
import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from local import ROOT
from local.platform import sam
from local.platform.aws import REGION
from local.platform.emulator import LOOPBACK
from local.platform.stack import Stack, write_private

DESKTOP = "host.docker.internal"
BRIDGE = ("ip", "-json", "-4", "address", "show", "dev", "docker0")


def host() -> str:
    """Return the address of this machine that containers reach: its loopback by another name, unless Docker has a bridge here."""
    try:
        shown = subprocess.run(BRIDGE, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return LOOPBACK
    addresses = [address["local"] for each in json.loads(shown or "[]") for address in each.get("addr_info", ())]
    return str(addresses[0]) if addresses else LOOPBACK


def endpoint(endpoint_url: str) -> str:
    """Return how a container calls the endpoint that this machine calls *endpoint_url*."""
    name = urlsplit(endpoint_url).hostname or ""
    return endpoint_url.replace(name, DESKTOP, 1) if _is_loopback(name) else endpoint_url


def reaches(endpoint_url: str) -> bool:
    """Tell whether a container that calls *endpoint_url* gets there."""
    return host() == LOOPBACK or not _is_loopback(urlsplit(endpoint_url).hostname or "")


def write_variables(stack: Stack, path: Path) -> None:
    """Save each function's variables as they are deployed, and where the emulator is, for `sam local invoke --env-vars`."""
    here = {"AWS_ENDPOINT_URL": endpoint(stack.endpoint_url)}
    variables = {name: function["Environment"]["Variables"] | here for name, function in stack.functions.items()}
    write_private(path, variables)


def variables_in(state: Path) -> Path:
    """Return where the variables of the stack deployed from *state* are written down."""
    return state / "env.json"


def invocation(function: str, event: Path | str, state: Path) -> list[str]:
    """Return the command of `sam` that lets *function*, as it is built, answer *event* on the stack deployed from *state*."""
    variables = os.path.relpath(variables_in(state), ROOT)
    return [
        *("local", "invoke", function, "--event", str(event), "--env-vars", variables, "--region", REGION),
        *("--parameter-overrides", f"Architecture={sam.architecture()}"),
    ]


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
