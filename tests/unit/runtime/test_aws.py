from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.awsrequest import AWSRequest
from botocore.loaders import Loader

from tillflow.runtime import aws


@pytest.mark.usefixtures("world")
def test_a_client_is_made_without_the_partition_file() -> None:
    # docs/adr/0006: it is the largest part of making a client.
    aws.forget()
    with patch.object(Loader, "load_data_with_path", autospec=True, side_effect=Loader.load_data_with_path) as loaded:
        aws.client("dynamodb")
    aws.forget()

    names = [call.args[1] for call in loaded.call_args_list]
    assert names
    assert "endpoints" not in names


@pytest.fixture
def on_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    aws.forget()
    yield monkeypatch
    aws.forget()


class SentTo(Exception):
    pass


def stop(request: AWSRequest, **_: Any) -> None:
    raise SentTo(request.url)


@pytest.mark.parametrize(
    ("service", "operation", "host"),
    [
        ("dynamodb", "list_tables", "dynamodb"),
        ("events", "list_rules", "events"),
        ("secretsmanager", "list_secrets", "secretsmanager"),
        ("stepfunctions", "list_state_machines", "states"),
    ],
)
@pytest.mark.parametrize(("region", "suffix"), [("us-east-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")])
def test_requests_go_by_https_to_the_service_of_the_region(
    service: Any, operation: str, host: str, region: str, suffix: str, on_aws: pytest.MonkeyPatch
) -> None:
    on_aws.setenv("AWS_DEFAULT_REGION", region)
    client: Any = aws.client(service)
    client.meta.events.register("before-send", stop)

    with pytest.raises(SentTo, match=f"^https://{host}.{region}.{suffix}/$"):
        getattr(client, operation)()
