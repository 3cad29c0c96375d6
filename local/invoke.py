"""Run a handful of functions in Lambda's own container, by `sam local invoke` (needs Docker)."""


def run() -> None:
    """Not there yet: the functions are being written."""
