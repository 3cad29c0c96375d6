"""Which failures of an AWS call say nothing about the request: it may be sent again."""

from botocore import exceptions
from botocore.exceptions import ClientError

# Network errors and time-outs: whether the call took effect is not known.
LOST = (exceptions.ConnectionError, exceptions.HTTPClientError)

_TRANSIENT_CODES = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
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
    return status >= _SERVER_ERROR or error.response["Error"]["Code"] in _TRANSIENT_CODES
