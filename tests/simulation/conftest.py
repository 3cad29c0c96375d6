"""The simulator, opened once for all tests of a worker."""

from collections.abc import Iterator

import pytest

from tests.simulation import setting
from tests.simulation.day import Simulator


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """The stack, its shop open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        try:
            yield setting.simulator(patch)
        finally:
            setting.close()
