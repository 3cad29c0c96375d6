"""What every consumer of bus events does: it stands behind a queue, and one bad message does not hold up the rest."""

from collections.abc import Callable
from typing import Any

from tillflow.messaging.envelope import check
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.values import jsontext

type Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def consumer(handle: Callable[[dict[str, Any]], None]) -> Handler:
    """
    Return the handler of a queue of bus events; *handle* gets each one's envelope, checked: anyone may send anything.

    What fails is reported by message (`ReportBatchItemFailures`): SQS brings it again, and after five times moves it
    to the dead-letter queue.
    """

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        begin(context)
        failed, traces = [], []
        for record in event["Records"]:
            try:
                envelope = check(jsontext.loads(record["body"])["detail"])
                traces.append(envelope["trace_id"])
                handle(envelope)
            except Exception:  # noqa: BLE001 - the boundary: whatever is wrong with one message must not lose or repeat the others.
                logger.exception("message failed", extra={"message_id": record["messageId"]})
                failed.append({"itemIdentifier": record["messageId"]})
        logger.info("consumed", extra={"trace_ids": traces, "failed": len(failed)})
        return {"batchItemFailures": failed}

    return handler
