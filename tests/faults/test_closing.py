"""A warehouse that is closed beside something else, call by call: its levels are as open as it is, whoever comes between."""

from contextlib import suppress
from copy import deepcopy
from functools import partial

import pytest

from tests.faults import invariants
from tests.faults.client import Refused, move_stock, send
from tests.faults.command import Act
from tests.faults.commands import ONE_LINE, order, shop
from tests.faults.together import every_two
from tests.faults.trials import TRIED
from tests.faults.world import World
from tests.simulation.plays.masters import CHANGE_WAREHOUSE
from tillflow.values import ids

_READER = "stock/follow_ledger"
_HAMBURG, _PLUM = ids.derived("warehouse", "HAMBURG"), ids.derived("variant", "PLUM")


def _switch(*, active: bool) -> Act:
    def act(world: World) -> None:
        send(world, CHANGE_WAREHOUSE, {"active": active}, role="admin", path={"id": _HAMBURG})

    return act


def _first_delivery(world: World) -> None:
    with suppress(Refused):
        move_stock(world, "INBOUND", "HAMBURG", {"PLUM": 3}, key=None)


def _transfer(world: World) -> None:
    lines = [{"variantId": ids.derived("variant", "PEAR"), "quantity": 1}, {"variantId": _PLUM, "quantity": 1}]
    body = {"fromWarehouseId": ids.derived("warehouse", "BREMEN"), "toWarehouseId": _HAMBURG, "lines": lines}
    with suppress(Refused):
        send(world, "POST /api/v1/stock-transfers", body, role="admin")


_OTHERS = {
    "it is opened": _switch(active=True),
    "it is closed again": _switch(active=False),
    "something comes in for the first time": _first_delivery,
    "something is transferred to it": _transfer,
    "an order is served": order(ONE_LINE),
}


@pytest.fixture(scope="module")
def arranged(empty: object, world: World) -> object:
    """A shop with plums that have never been in Hamburg."""
    world.restore(empty)
    shop(world)
    send(world, "POST /api/v1/variants", {"sku": "PLUM", "name": "Plum"}, role="admin")
    move_stock(world, "INBOUND", "BREMEN", {"PLUM": 2}, key=None)
    return world.snapshot()


def _hold(world: World) -> None:
    world.drain()
    invariants.check(world)
    items = world.items("StockTable")
    (hamburg,) = [item for item in items if item["pk"] == f"WAREHOUSE#{_HAMBURG}"]
    levels = [item for item in items if item["sk"] == f"LEVEL#{_HAMBURG}"]
    assert "levels_behind" not in hamburg
    assert {"closed" in level for level in levels} == {not hamburg["active"]}
    TRIED["interleavings"] += 1


def _list_new_levels(world: World) -> None:
    # As the stream delivers it once more afterwards.
    world.invoke(_READER, {"Records": deepcopy(world.pending.streams["StockTable", _READER])})


def test_a_level_that_is_being_listed_is_closed_when_that_is_answered(world: World, arranged: object) -> None:
    world.restore(arranged)
    world.drain()
    _first_delivery(world)
    begin = world.snapshot()
    acts = [partial(act, world) for act in (_switch(active=False), _list_new_levels)]
    for _ in every_two(world.wire, partial(world.restore, begin), *acts):
        assert all("closed" in item for item in world.items("StockTable") if item["sk"] == f"LEVEL#{_HAMBURG}")
        _hold(world)


@pytest.mark.parametrize("other", _OTHERS)
def test_whatever_comes_between_two_calls(world: World, arranged: object, other: str) -> None:
    acts = [partial(act, world) for act in (_switch(active=False), _OTHERS[other])]
    for _ in every_two(world.wire, partial(world.restore, arranged), *acts):
        _hold(world)
