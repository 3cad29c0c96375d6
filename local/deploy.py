"""Build the tree and deploy it to an emulator: `sam build`, `sam deploy --config-env local`."""

import fcntl
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local import STATE, process
from local.aws import ACCESS_KEY, SECRET_KEY, Aws
from local.stack import Stack, describe, path_in

STACK_NAME = "tillflow-local"


def deploy(endpoint: str, state: Path, parameters: Mapping[str, str] | None = None) -> Stack:
    """
    Bring the stack on *endpoint* in step with the tree, write it to *state*'s stack.json and return it.

    *endpoint* is the URL of MiniStack, LocalStack or another emulator; *state* is a folder for stack.json and the logs;
    *parameters* are the template's, where they are to differ from the local defaults.

    Raises:
        LocalError: a step failed; the message says which, and where its log is.
    """
    aws = Aws(endpoint)
    more = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": aws.region,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.5",
        "TILLFLOW_LAYERS": str(STATE / "layers"),
    }
    chosen = {"Target": "emulator", "Architecture": _architecture()} | dict(parameters or {})
    overrides = ["--parameter-overrides", " ".join(f"{name}={value}" for name, value in chosen.items())]
    with _only_one():
        with process.step("build"):
            build = ["sam", "build", "--config-env", "local", *overrides]
            process.run(build, state / "logs" / "build.log", more)
        with process.step(f"deploy to {endpoint}"):
            command = ["sam", "deploy", "--config-env", "local", "--stack-name", STACK_NAME, *overrides]
            process.run(command, state / "logs" / "deploy.log", more)
    stack = describe(aws, STACK_NAME)
    stack.write(path_in(state))
    return stack


def delete(endpoint: str, state: Path) -> None:
    """Delete the stack from *endpoint*, and *state*'s stack.json."""
    cloudformation = Aws(endpoint).cloudformation
    with process.step(f"delete {STACK_NAME} from {endpoint}"):
        cloudformation.delete_stack(StackName=STACK_NAME)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK_NAME)
    path_in(state).unlink(missing_ok=True)


def _architecture() -> str:
    """Return the architecture of this machine, which runs the functions, in Lambda's words."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


@contextmanager
def _only_one() -> Iterator[None]:
    """Wait until no other command uses .aws-sam, which `make up` and the tests share."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "build.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
