"""What `sam local invoke`'s containers are told: where the emulator is, and the functions' variables."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.platform import container
from local.platform.stack import Stack


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("http://127.0.0.1:4566", "http://host.docker.internal:4566"),
        ("http://localhost:4566", "http://host.docker.internal:4566"),
        ("https://127.0.0.2", "https://host.docker.internal"),
        ("http://172.17.0.1:4566", "http://172.17.0.1:4566"),
        ("https://localhost.localstack.cloud:4566", "https://localhost.localstack.cloud:4566"),
    ],
)
def test_a_container_calls_this_machine_by_another_name(here: str, there: str) -> None:
    assert container.endpoint(here) == there


def program(folder: Path, text: str) -> None:
    (folder / "ip").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "ip").chmod(0o700)


def test_docker_s_bridge_is_how_containers_reach_a_linux_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [{"ifname": "docker0", "addr_info": [{"family": "inet", "local": "172.18.0.1", "prefixlen": 16}]}]
    program(tmp_path, f"echo '{json.dumps(shown)}'")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert container.host() == "172.18.0.1"
    assert container.reaches("http://172.18.0.1:4566")
    assert not container.reaches("http://127.0.0.1:4566")


@pytest.mark.parametrize("ip", ["exit 1", "echo '[]'", "echo '[{}]'", None])
def test_without_a_bridge_docker_desktop_leads_to_the_loopback_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ip: str | None
) -> None:
    if ip:
        program(tmp_path, ip)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert container.host() == "127.0.0.1"
    assert container.reaches("http://127.0.0.1:4566")


def test_a_function_s_variables_are_those_it_is_deployed_with_and_the_emulator_for_its_owner_s_eyes(tmp_path: Path) -> None:
    deployed: dict[str, Any] = {"GetOrderFunction": {"Environment": {"Variables": {"ORDERS_TABLE": "orders-1"}}}}
    stack = cast("Stack", SimpleNamespace(endpoint_url="http://127.0.0.1:4566", functions=deployed))
    path = container.variables_in(tmp_path)

    container.write_variables(stack, path)

    expected = {"ORDERS_TABLE": "orders-1", "AWS_ENDPOINT_URL": "http://host.docker.internal:4566"}
    assert json.loads(path.read_text()) == {"GetOrderFunction": expected}
    assert path.stat().st_mode & 0o777 == 0o600
