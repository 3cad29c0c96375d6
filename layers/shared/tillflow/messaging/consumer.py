"""What every consumer of bus events does: it stands behind a queue, and one bad message does not hold up the rest."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tillflow.messaging.envelope import check
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.values import jsontext

type Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


class Delivery(NamedTuple):
    """An event of the bus as a queue brings it: its message's id, who sent it, and its *envelope*, checked."""

    message_id: str
    source: str
    envelope: dict[str, Any]


def consumer(handle: Callable[[dict[str, Any]], None]) -> Handler:
    """
    Return the handler of a queue of bus events; *handle* gets each one's envelope, checked: anyone may send anything.

    What fails is reported by message (`ReportBatchItemFailures`): SQS brings it again, and after five times moves it
    to the dead-letter queue.
    """

    def one_by_one(deliveries: Sequence[Delivery]) -> Iterator[str]:
        for each in deliveries:
            try:
                handle(each.envelope)
            except Exception:  # noqa: BLE001 - the boundary: whatever is wrong with one message must not lose or repeat the others.
                _report(each.message_id)
                yield each.message_id

    return batch_consumer(one_by_one)


def batch_consumer(handle: Callable[[Sequence[Delivery]], Iterator[str]]) -> Handler:
    """Return the same where *handle* gets a batch's events together, and yields the ids of messages that are to come again."""

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        begin(context)
        deliveries, failed = [], []
        for record in event["Records"]:
            try:
                deliveries.append(_read(record))
            except Exception:  # noqa: BLE001 - the boundary, as above: what is no event at all
                _report(record["messageId"])
                failed.append(record["messageId"])
        try:
            failed += list(handle(deliveries))
        except Exception:  # noqa: BLE001 - the boundary, as above: all of it is to come again
            logger.exception("batch failed")
            failed += (each.message_id for each in deliveries)
        logger.info("consumed", extra={"trace_ids": [each.envelope["trace_id"] for each in deliveries], "failed": len(failed)})
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    return handler


def message_consumer(handle: Callable[[dict[str, Any]], None]) -> Handler:
    """Return the handler of a queue of something else than events; *handle* gets each message as Lambda has it."""

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        begin(context)
        failed = []
        for record in event["Records"]:
            try:
                handle(record)
            except Exception:  # noqa: BLE001 - the boundary, as above
                _report(record["messageId"])
                failed.append(record["messageId"])
        logger.info("consumed", extra={"messages": len(event["Records"]), "failed": len(failed)})
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    return handler


def _read(record: dict[str, Any]) -> Delivery:
    message = jsontext.loads(record["body"])
    return Delivery(record["messageId"], str(message.get("source", "")), check(message["detail"]))


def _report(message_id: str) -> None:
    logger.exception("message failed", extra={"message_id": message_id})
