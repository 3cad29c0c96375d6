"""
AWS clients, made when first used and once per process.

botocore is used without boto3's layer on top, and is spared its 1.25 MB partition file and its search for every service
there is: an endpoint comes from the service's own rule set, which is all that a client made this way asks for.
docs/adr/0006 has the measurements.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload, override

from tillflow.runtime.config import setting

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

# A DynamoDB call takes milliseconds. One that takes seconds is better sent again than waited for.
_CONNECT_SECONDS = 1
_READ_SECONDS = 3
_SENDS = 2
_LONGEST_PAUSE_SECONDS = 1  # botocore's before the second
# How long a call may take that gets no answer: whoever starts one must have this much time left.
LONGEST_CALL_SECONDS = _SENDS * (_CONNECT_SECONDS + _READ_SECONDS) + _LONGEST_PAUSE_SECONDS

_SERVICES = ("cloudwatch", "dynamodb", "events", "kms", "secretsmanager", "sesv2", "sqs", "stepfunctions")
_PARTITIONS = {
    "version": 3,
    "partitions": [
        {
            "partition": "aws",
            "dnsSuffix": "amazonaws.com",
            "regionRegex": r"^(us|eu|ap|sa|ca|me|af|il|mx)\-\w+\-\d+$",
            "regions": {},
            "services": {},
            "defaults": {
                "hostname": "{service}.{region}.{dnsSuffix}",
                "protocols": ["https"],
                "signatureVersions": ["v4"],
            },
        }
    ],
}


@cache
def _session() -> Any:
    import botocore.session
    from botocore.loaders import Loader

    class FrugalLoader(Loader):
        @override
        def load_data_with_path(self, name: str) -> Any:
            # As if from botocore's own folder: endpoints from anywhere else would overrule the rule sets, with plain http.
            return (_PARTITIONS, self.BUILTIN_DATA_PATH) if name == "endpoints" else super().load_data_with_path(name)

        @override
        def list_available_services(self, type_name: str) -> list[str]:
            return list(_SERVICES)

    session = botocore.session.get_session()
    session.register_component("data_loader", FrugalLoader())
    if setting("METER", "false") == "true":
        from tillflow.runtime import meter

        meter.attach(session)
    return session


@overload
def client(service: Literal["cloudwatch"]) -> "CloudWatchClient": ...
@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["events"]) -> "EventBridgeClient": ...
@overload
def client(service: Literal["kms"]) -> "KMSClient": ...
@overload
def client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["sesv2"]) -> "SESV2Client": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["stepfunctions"]) -> "SFNClient": ...
@cache
def client(service: str) -> Any:
    """Return this process's client of an AWS *service*."""
    from botocore.config import Config

    return _session().create_client(
        service,
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _SENDS},
        ),
    )


def forget() -> None:
    """Drop the cached clients (tests change what they talk to)."""
    client.cache_clear()  # type: ignore[attr-defined]
    _session.cache_clear()
