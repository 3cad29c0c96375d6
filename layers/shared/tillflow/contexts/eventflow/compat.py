"""
May those who read events of earlier versions read those of a new one? Yes, where each value that fits the new schema fits theirs.

jsoncompat proves that or not (its role "serializer": forward; docs/adr/0021). It is asked in a process of its own, with bounded
time and memory: what it would take forever over, or die of, is not shown either.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from tillflow.contexts.eventflow.fitting import Fitting
from tillflow.values import jsontext

# For all earlier versions together; a proof takes milliseconds.
SECONDS = 8
_MEGABYTES = 256
_READY = "ready"
_UNDECIDED = f"it could not be decided within {SECONDS} seconds and {_MEGABYTES} MB; a simpler schema can be"
_MAX_EXAMPLE = 500


class Incompatibility(NamedTuple):
    """Why readers of an earlier *version* may not understand a new one."""

    version: int
    reason: str


def incompatibilities(schema: dict[str, Any], earlier: Sequence[tuple[int, dict[str, Any]]]) -> list[Incompatibility]:
    """Return every earlier version whose readers cannot be shown to understand what fits *schema*, with the reason."""
    # As text: to Python, 1 equals True.
    asked = [(version, each) for version, each in earlier if jsontext.dumps(each) != jsontext.dumps(schema)]
    if not asked:
        return []
    verdicts = _ask(schema, [each for _, each in asked])
    return [
        _told(version, each, schema, verdict)
        for (version, each), verdict in zip(asked, verdicts, strict=True)
        if verdict.get("status") != "compatible"
    ]


def _ask(schema: dict[str, Any], earlier: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    question = jsontext.dumps({"new": jsontext.dumps(schema), "earlier": [jsontext.dumps(each) for each in earlier]})
    # What this process finds its modules by, Lambda has partly set itself: the other one is told.
    program = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import answer; answer()"
    try:
        said = subprocess.run(  # noqa: S603 - this very program
            [sys.executable, "-c", program], input=question.encode(), capture_output=True, timeout=SECONDS, check=False
        )
        output, errors = said.stdout, said.stderr
    except subprocess.TimeoutExpired as late:
        output, errors = late.output or b"", late.stderr or b""
    # What follows the last end of a line is half of one, or nothing.
    ready, *verdicts = output.decode().split("\n")[:-1] or [""]
    if ready != _READY:
        raise RuntimeError(f"The prover did not start: {errors.decode(errors='replace')[-500:]}")
    return [json.loads(each) for each in verdicts] + [{"reason": _UNDECIDED}] * (len(earlier) - len(verdicts))


def answer() -> None:
    """Be the process that is asked: read the question from stdin, write a line for each verdict."""
    import resource

    import jsoncompat

    if sys.platform == "linux":  # others do not bound it so
        resource.setrlimit(resource.RLIMIT_AS, (_MEGABYTES << 20, _MEGABYTES << 20))
    # Whoever asked may be gone.
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    question = json.load(sys.stdin)
    sys.stdout.write(f"{_READY}\n")
    for each in question["earlier"]:
        try:
            verdict: dict[str, Any] = {**jsoncompat.analyze_compat(each, question["new"], jsoncompat.Role.SERIALIZER)}
        except ValueError as error:
            verdict = {"reason": str(error)}
        verdict.pop("counterexample", None)  # its numbers are rounded
        sys.stdout.write(json.dumps(verdict) + "\n")
        sys.stdout.flush()


def _told(version: int, earlier: dict[str, Any], schema: dict[str, Any], verdict: dict[str, Any]) -> Incompatibility:
    """Return a verdict in words. An example counts only where both schemas say so: the prover's own word was not enough."""
    example = verdict.get("counterexample_json")
    if example is not None and len(example) <= _MAX_EXAMPLE:
        payload = json.loads(example)
        if Fitting(schema).takes(payload) and not Fitting(earlier).takes(payload):
            return Incompatibility(version, f"{example} fits this schema, and not version {version}'s")
    reason = str(verdict.get("reason", "the prover says that something fits this schema alone"))
    return Incompatibility(version, reason.partition(";")[0])
