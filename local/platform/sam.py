"""AWS SAM's command line, on the tree, for an emulator or this machine."""

import fcntl
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local import STATE, process
from local.platform.aws import ACCESS_KEY, REGION, SECRET_KEY

# As samconfig.toml has them: parameters of a command line stand in place of all of its.
LOCAL = {"Target": "emulator", "LoginAttemptsPerAddress": "1000"}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_DEFAULT_REGION": REGION,
    "SAM_CLI_TELEMETRY": "0",
    "SAM_CLI_POLL_DELAY": "0.5",
    "TILLFLOW_LAYERS": str(STATE / "layers"),
}


@contextmanager
def built(log: Path, parameters: Mapping[str, str]) -> Iterator[None]:
    """Build the tree, and keep it built: `make up` and the tests share one .aws-sam, in turn."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "build.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with process.step("build"):
            run("build", "--config-env", "local", log=log, parameters=parameters)
        yield


def run(*command: str, log: Path, parameters: Mapping[str, str], endpoint: str | None = None) -> str:
    """
    Run `sam *command*` with the local template parameters and *parameters*; return what it printed.

    Raises:
        LocalError: it failed; the message says where its log is.
    """
    chosen = LOCAL | {"Architecture": architecture(), **parameters}
    overrides = " ".join(f"{name}={value}" for name, value in chosen.items())
    more = ENVIRONMENT | ({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})
    return process.run(["sam", *command, "--parameter-overrides", overrides], log, more)


def architecture() -> str:
    """Return the architecture of this machine, which runs the functions, in Lambda's words."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
