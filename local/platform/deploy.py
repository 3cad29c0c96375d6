"""Build the tree and deploy it to an emulator: `sam build`, `sam deploy --config-env local`."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from local import LocalError, process
from local.platform import administrator, container, keys, sam
from local.platform.aws import Aws
from local.platform.stack import Stack, describe, path_in, read

STACK_NAME = "tillflow-local"


def deploy(endpoint: str, state: Path, parameters: Mapping[str, str] | None = None) -> Stack:
    """
    Bring the stack on *endpoint* in step with the tree, write it to *state* (stack.json, env.json) and return it.

    *endpoint* is the URL of MiniStack, LocalStack or another emulator; *state* is a folder for these and the logs;
    *parameters* are the template's, where they are to differ from the local defaults.

    Raises:
        LocalError: a step failed; the message says which, and where its log is.
    """
    logs, parameters = state / "logs", parameters or {}
    with sam.built(logs / "build.log", parameters), process.step(f"deploy to {endpoint}"):
        command = ("deploy", "--config-env", "local", "--stack-name", STACK_NAME)
        sam.run(*command, log=logs / "deploy.log", parameters=parameters, endpoint=endpoint)
    stack = describe(Aws(endpoint), STACK_NAME)
    keys.make(stack)
    stack = _administered(stack, state)
    stack.write(path_in(state))
    container.write_variables(stack, container.variables_in(state))
    return stack


def _administered(stack: Stack, state: Path) -> Stack:
    """Return *stack* with its first administrator: made now, or as *state* knows them from before."""
    made = administrator.ensure(stack)
    if made is None:
        with suppress(LocalError):
            known = read(state)
            made = known.admin_email, known.admin_password
    email, password = made or ("", "")
    return replace(stack, admin_email=email, admin_password=password)


def delete(endpoint: str, state: Path) -> None:
    """Delete the stack from *endpoint*, and what *state* has of it."""
    cloudformation = Aws(endpoint).cloudformation
    with process.step(f"delete {STACK_NAME} from {endpoint}"):
        cloudformation.delete_stack(StackName=STACK_NAME)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK_NAME)
    forget(state)


def forget(state: Path) -> None:
    """Remove what was written to *state* of a stack that is no more."""
    for path in (path_in(state), container.variables_in(state)):
        path.unlink(missing_ok=True)
