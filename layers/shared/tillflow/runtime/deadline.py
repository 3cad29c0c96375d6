"""How long this invocation may still run. Retries stop in time to answer properly."""

from typing import Protocol

from tillflow.values import clock

_until = float("inf")


class LambdaContext(Protocol):
    """What Tillflow uses of the Lambda context object."""

    aws_request_id: str
    function_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds before Lambda ends this invocation."""


def start(context: LambdaContext) -> None:
    """Take this invocation's end from its Lambda *context*."""
    global _until  # noqa: PLW0603 - one invocation at a time runs in a Lambda process; this is its clock
    _until = clock.monotonic() + context.get_remaining_time_in_millis() / 1000


def remaining() -> float:
    """Return the seconds left, infinite outside Lambda."""
    return _until - clock.monotonic()
