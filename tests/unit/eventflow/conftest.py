import pytest

from tests.world import world
from tillflow.values import clock

__all__ = ["world"]


@pytest.fixture(autouse=True)
def _no_time_is_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "sleep", lambda _: None)
