"""What CloudFormation cannot do for EventFlow: register the product's own event types, and leave no consumer's queue behind."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tillflow.contexts.eventflow import queuedeleting, queues, registering, registry
from tillflow.errors import Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, backoff
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.values import ids

# Written by `make docs`: the schema of each type's payload.
TYPES = Path(__file__).with_name("event_types.json")
_ANSWER_SECONDS = 10
_LONGEST_REASON = 1_000


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """
    Do what a custom resource's request asks for, and answer it in any case: CloudFormation waits for an answer, not for us.

    `{"RequestType": "Create" | "Update" | "Delete", "ResponseURL", "StackId", "RequestId", "LogicalResourceId"}`, see AWS'
    "Custom resource request and response reference". The same request may come again.
    """
    begin(context, request=event["RequestType"])
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"PhysicalResourceId": "eventflow", "Status": "SUCCESS"}
    try:
        _patiently(_take_down if event["RequestType"] == "Delete" else _set_up)
    except Exception as error:  # noqa: BLE001 - the boundary: a stack that is not answered hangs for an hour
        logger.exception("not done")
        reason = f"{type(error).__name__}: {error} (the log of {context.function_name} says more)"
        answer |= {"Status": "FAILED", "Reason": reason[-_LONGEST_REASON:]}
    _tell(event["ResponseURL"], answer)


def _set_up() -> None:
    if (over := len(queues.name_of(ids.new())) - queues.LONGEST_NAME) > 0:
        raise ValueError(f"Consumers' queues begin with the stack's name, which has {over} characters more than SQS takes.")
    changed = registering.publish(json.loads(TYPES.read_text()), Cause("deployment", (), ids.new()))
    logger.info("registered", extra={"event_types": changed})


def _take_down() -> None:
    """Delete every queue of a consumer: those that are known, and those that SQS lists, for it lists a new one late."""
    known = [each.consumer_id for each in registry.everyone()]
    for consumer_id in known:
        queuedeleting.delete(consumer_id)
    logger.info("deleted", extra={"queues": len(known) + queuedeleting.delete_all()})


def _patiently(work: Callable[[], None]) -> None:
    failure: Exception | None = None
    for _ in backoff.attempts(seconds=2 * aws.LONGEST_CALL_SECONDS):
        try:
            return work()
        except Unavailable as error:
            failure = error
    raise Unavailable("What it needs did not answer in time.") from failure


def _tell(url: str, answer: dict[str, str]) -> None:
    # Signed for a body without a type; urllib would name one.
    request = urllib.request.Request(url, json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310 - from CloudFormation
    failure: OSError | None = None
    for _ in backoff.attempts(most=5, seconds=_ANSWER_SECONDS, longest=_ANSWER_SECONDS):
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS):  # noqa: S310
                return
        except OSError as error:
            failure = error
    # Lambda invokes it again, twice.
    raise TimeoutError("CloudFormation did not take the answer.") from failure
