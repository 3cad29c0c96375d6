"""The stack's first administrator: made once, when it is deployed, and written to stack.json."""

import secrets

from local.platform.stack import Stack

EMAIL = "admin@example.com"
_FUNCTION = "CreateFirstAdministratorFunction"


def ensure(stack: Stack) -> tuple[str, str] | None:
    """
    Make the first administrator of *stack* and return their address and password; None where there has been one.

    Raises:
        LocalError: the function failed.
    """
    password = secrets.token_urlsafe(24)
    request = {"email": EMAIL, "password": password, "name": "Administrator"}
    told = stack.invoke(_FUNCTION, request)
    return (EMAIL, password) if told["status"] == "created" else None
