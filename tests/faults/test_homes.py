"""A variant's homes, found for two warehouses at once, call by call: never more than there is room for, and none is lost."""

from collections import Counter
from copy import deepcopy
from functools import partial

import pytest

from tests.faults import invariants
from tests.faults.client import move_stock, send
from tests.faults.commands import order, shop
from tests.faults.together import every_two
from tests.faults.trials import TRIED
from tests.faults.world import World
from tillflow.contexts.stock import homes

_READER = "stock/follow_ledger"
_PLACES = "HAMBURG", "BREMEN"


@pytest.mark.parametrize("room", [1, 2])
def test_two_deliveries_that_are_followed_at_once(
    world: World, empty: object, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(homes, "MOST", room)
    world.restore(empty)
    shop(world)
    world.drain()
    send(world, "POST /api/v1/variants", {"sku": "PLUM", "name": "Plum"}, role="admin")
    for place in _PLACES:
        move_stock(world, "INBOUND", place, {"PLUM": 2}, key=None)
    begin = world.snapshot()

    def follow(number: int) -> None:
        record = deepcopy(world.pending.streams["StockTable", _READER][number])
        world.invoke(_READER, {"Records": [record]})

    seen: Counter[int] = Counter()
    for _ in every_two(world.wire, partial(world.restore, begin), partial(follow, 0), partial(follow, 1)):
        # What it takes from both is entered by where it was at home.
        order([("PLUM", 3, 90)])(world)
        invariants.check(world)
        (plum,) = [item for item in world.items("StockTable") if item.get("sku") == "PLUM"]
        seen[len(plum["homes"])] += 1
        TRIED["interleavings"] += 1
    assert set(seen) == {room}
