"""What a developer's environment says, to our commands and to the programs they start: what is meant, and nothing else."""

import pytest

from local import LocalError
from local.platform import aws
from local.process import environment


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*aws.NAMED_BY, "AWS_PROFILE", "USE_SSL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({}, None),
        ({"USE_SSL": "1"}, None),
        ({"LOCALSTACK_HOST": "", "AWS_ENDPOINT_URL": ""}, None),
        ({"LOCALSTACK_HOST": "localhost"}, "http://localhost:4566"),
        ({"LOCALSTACK_HOST": "devbox:4510"}, "http://devbox:4510"),
        ({"LOCALSTACK_HOST": "localhost.localstack.cloud:4566", "USE_SSL": "1"}, "https://localhost.localstack.cloud:4566"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4567"}, "http://127.0.0.1:4567"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4567", "LOCALSTACK_HOST": "devbox"}, "http://127.0.0.1:4567"),
    ],
)
def test_a_localstack_user_s_variables_name_the_endpoint(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], endpoint: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert aws.named_endpoint() == endpoint


def test_a_host_that_cannot_be_understood_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALSTACK_HOST", "localhost:http")

    with pytest.raises(LocalError, match="LOCALSTACK_HOST must be <host>:<port>"):
        aws.named_endpoint()


def test_clients_go_where_they_are_told_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere:1")
    monkeypatch.setenv("AWS_PROFILE", "of-another-machine")

    client = aws.Aws("http://127.0.0.1:4566").dynamodb

    assert client.meta.endpoint_url == "http://127.0.0.1:4566"
    assert client.meta.region_name == aws.REGION


@pytest.mark.parametrize(
    "name", ["AWS_ENDPOINT_URL", "AWS_PROFILE", "LOCALSTACK_HOST", "SAM_CLI_TELEMETRY", "SERVICES", "USE_SSL"]
)
def test_what_would_bend_a_program_is_not_passed_on(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")

    assert name not in environment()
    assert environment({name: "2"})[name] == "2"
