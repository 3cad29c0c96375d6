"""A server, and the two halves of the package that speak to it."""

import pytest

from fake_tillflow import FakeTillflow
from halves import Async, Half, Sync


@pytest.fixture
def server() -> FakeTillflow:
    return FakeTillflow()


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def half(request: pytest.FixtureRequest) -> Half:
    made: Half = request.param()
    return made
