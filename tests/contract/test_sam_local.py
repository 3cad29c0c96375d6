"""`sam local invoke --env-vars` only sets variables that the template names: where the emulator is must be one of them."""

import pytest
from samcli.lib.providers.sam_function_provider import SamFunctionProvider  # type: ignore[import-untyped] # ships no types
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider  # type: ignore[import-untyped]
from samcli.local.lambdafn.env_vars import EnvironmentVariables  # type: ignore[import-untyped]

from tests import template

HERE = {"AWS_ENDPOINT_URL": "http://host.docker.internal:4566"}


@pytest.fixture(scope="module")
def provider() -> SamFunctionProvider:
    stacks, _ = SamLocalStackProvider.get_stacks(str(template.ROOT / "template.yaml"))
    return SamFunctionProvider(stacks)


@pytest.mark.parametrize("function", [each.logical_id for each in template.functions().values()])
def test_a_container_s_function_finds_the_emulator_and_by_default_none(provider: SamFunctionProvider, function: str) -> None:
    named = provider.get(function).environment["Variables"]

    assert EnvironmentVariables(variables=named, override_values=HERE).resolve()["AWS_ENDPOINT_URL"] == HERE["AWS_ENDPOINT_URL"]
    assert not EnvironmentVariables(variables=named).resolve()["AWS_ENDPOINT_URL"]


@pytest.mark.parametrize("function", template.functions().values(), ids=template.functions())
def test_a_deployed_function_is_told_of_none(function: template.Function) -> None:
    assert "AWS_ENDPOINT_URL" not in function.environment
