"""
MiniStack, run by its own Python from this file's path, with five faults of 1.5.33 mended.

When it updates a nested stack, it forgets the attributes of every resource that stays as it is (a stack of its own, it hands
them on): a new index on one table, and the ARNs of all others are gone. Here they are remembered.

When a function raises, as an authorizer does that refuses, it ends the function's process, and the next call pays for a
start. Lambda keeps it, and so it is here.

Where it enforces policies, it asks for the right to send mails as anybody. SES asks for the sender, and so it is here. Of a batch
for a queue it asks for a right by the batch's name. SQS has none: who may send one message may send ten, and so it is here.

It measures nothing of queues. On AWS a metric tells since when the oldest message waits, and so it does here, to who asks.
"""

import json
import sys
import threading
import time
from typing import Any

from ministack.app import main  # type: ignore[import-not-found] # it lives in an environment of its own
from ministack.core import iam_actions, lambda_runtime  # type: ignore[import-not-found] # as above
from ministack.services import cloudwatch, sqs  # type: ignore[import-not-found] # as above
from ministack.services.cloudformation import _stacks, provisioners  # type: ignore[import-not-found] # as above

_update_resource = provisioners._update_resource  # noqa: SLF001 - what is mended is its own


def _update(kind: str, physical_id: str, old: Any, new: Any, stack: str, logical_id: str | None = None, known: Any = None) -> Any:
    """Update a resource; where its attributes are not *known*, they are those that its stack has of it."""
    if known is None:
        known = _stacks.get(stack, {}).get("_resources", {}).get(logical_id, {}).get("Attributes")
    return _update_resource(kind, physical_id, old, new, stack, logical_id, known)


provisioners._update_resource = _update  # noqa: SLF001 - as above


_resource = iam_actions._ses_v2_resource_arn  # noqa: SLF001


def _mail_resource(method: str, path: str, body: bytes, region: str, account_id: str) -> str:
    """Return the ARN that a request of SES asks a right for: to send a mail, the sender's."""
    if path.rstrip("/") == "/v2/email/outbound-emails":
        return f"arn:aws:ses:{region}:{account_id}:identity/{json.loads(body)['FromEmailAddress']}"
    return str(_resource(method, path, body, region, account_id))


iam_actions._ses_v2_resource_arn = _mail_resource  # noqa: SLF001
_action_of = iam_actions.extract_iam_action


def _action(service: str, *request: Any) -> str | None:
    """Return the action that a request needs a right for."""
    action: str | None = _action_of(service, *request)
    return action.removesuffix("Batch") if action and service == "sqs" else action


iam_actions.extract_iam_action = _action


_statistics_of = cloudwatch._get_metric_statistics  # noqa: SLF001
_AGE = "ApproximateAgeOfOldestMessage"


def _statistics(params: Any, asked: Any, *kind: Any) -> Any:
    """Return what a metric was; where it is a queue's oldest message's age, that is measured now."""
    if asked and asked.get("MetricName") == _AGE:
        names = cloudwatch._dims_from_list(asked["Dimensions"])  # noqa: SLF001
        queue = sqs._queues.get(sqs._queue_name_to_url.get(names["QueueName"]))  # noqa: SLF001
        now, sent = time.time(), [message["sent_at"] for message in queue["messages"]] if queue else []
        points = [{"Timestamp": now - 1, "Value": now - min(sent), "Unit": "Seconds"}] if sent else []
        cloudwatch._metrics["AWS/SQS", _AGE, cloudwatch._dims_key(names)] = points  # noqa: SLF001
    return _statistics_of(params, asked, *kind)


cloudwatch._get_metric_statistics = _statistics  # noqa: SLF001


class Ended(threading.local):
    """The process that an invocation of this thread would have ended, and whether one runs."""

    process: Any = None
    is_invoking = False


_ended = Ended()
_signal, _collect, _invoke = lambda_runtime._signal, lambda_runtime._collect, lambda_runtime.Worker.invoke  # noqa: SLF001


def _spare(process: Any) -> None:
    """End a process, but one that has just been invoked not yet."""
    if _ended.is_invoking:
        _ended.process = process
    else:
        _signal(process)


def _wait(process: Any, until: float) -> None:
    """Wait for a process that was told to end."""
    if process is not _ended.process:
        _collect(process, until)


def _invoke_and_keep(worker: Any, *arguments: Any, **named: Any) -> Any:
    """Invoke a function; its process ends if it is stuck, not if the handler raised (then the answer has its trace)."""
    _ended.process, _ended.is_invoking = None, True
    try:
        answer = _invoke(worker, *arguments, **named)
    finally:
        process, _ended.process, _ended.is_invoking = _ended.process, None, False
    if process is None:
        return answer
    with worker._lock:  # noqa: SLF001
        if "trace" in answer and worker._proc is None:  # noqa: SLF001
            worker._proc = process  # noqa: SLF001
            return answer
    _signal(process)
    _collect(process, time.monotonic() + lambda_runtime._REAP_GRACE)  # noqa: SLF001
    return answer


lambda_runtime._signal, lambda_runtime._collect = _spare, _wait  # noqa: SLF001
lambda_runtime.Worker.invoke = _invoke_and_keep
sys.exit(main())
