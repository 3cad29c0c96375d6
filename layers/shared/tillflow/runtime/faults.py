"""Which failures of an AWS call say nothing about the request: it may be sent again."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions
from botocore.exceptions import ClientError

from tillflow.errors import Unavailable

# Network errors and time-outs: whether the call took effect is not known.
LOST = (exceptions.ConnectionError, exceptions.HTTPClientError)

_TRANSIENT_CODES = frozenset(
    {
        "InternalServerError",
        "OverLimit",  # SQS: more messages are leased than it keeps
        "ProvisionedThroughputExceededException",
        "QueueDeletedRecently",  # SQS: within the minute
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_SERVER_ERROR = 500


def is_transient(error: ClientError) -> bool:
    """Tell whether AWS failed or throttled, as opposed to refusing the request."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    # SQS puts its name before some: `AWS.SimpleQueueService.QueueDeletedRecently`.
    return status >= _SERVER_ERROR or error.response["Error"]["Code"].rpartition(".")[2] in _TRANSIENT_CODES


@contextmanager
def unavailable(what: str, told: type[Unavailable] = Unavailable) -> Iterator[None]:
    """Tell a caller "try again" (as the error *told*) where *what* did not answer; botocore has already retried."""
    try:
        yield
    except LOST as error:
        raise told(f"The {what} did not answer in time. Send the same request again.") from error
    except ClientError as error:
        if not is_transient(error):
            raise
        raise told(f"The {what} is busy. Send the same request again.") from error
