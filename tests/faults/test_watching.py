"""A level that has fallen, looked at beside something else, call by call: it is told of once, and notes on which side it is."""

from copy import deepcopy
from functools import partial

import pytest

from tests.faults import invariants
from tests.faults.client import move_stock, send
from tests.faults.command import Act
from tests.faults.commands import shop
from tests.faults.together import every_two
from tests.faults.trials import TRIED
from tests.faults.world import World
from tests.simulation.plays.masters import CHANGE_VARIANT, CLEAR_POINT, SET_POINT
from tillflow.contexts.stock.tables import is_level, place_of
from tillflow.values import ids

_READER = "stock/follow_ledger"
_APPLES = {"id": ids.derived("warehouse", "HAMBURG"), "variantId": ids.derived("variant", "APPLE")}


def _look(world: World) -> None:
    # As the other has it, if it is delivered twice: what follows has records of its own.
    world.invoke(_READER, {"Records": deepcopy(world.pending.streams["StockTable", _READER])})


def _point(route: str, body: dict[str, int]) -> Act:
    def act(world: World) -> None:
        send(world, route, body, role="admin", path=_APPLES)

    return act


def _moves(kind: str, units: int) -> Act:
    return lambda world: move_stock(world, kind, "HAMBURG", {"APPLE": units}, key=f"{kind} {units}")


# What may happen meanwhile, and how often it may be told then that apples are low.
_OTHERS: dict[str, tuple[Act, set[int]]] = {
    "it is looked at twice": (_look, {1}),
    "another apple goes": (_moves("OUTBOUND", 1), {1}),
    # What was made good before anybody looked was no fall.
    "apples come in": (_moves("INBOUND", 9), {0, 1}),
    "the threshold is lowered": (_point(SET_POINT, {"quantity": 2}), {1}),
    "the threshold is raised": (_point(SET_POINT, {"quantity": 9}), {1}),
    "the threshold is cleared": (_point(CLEAR_POINT, {}), {1}),
}


@pytest.fixture(scope="module", params=[1, 3], ids="{} shards".format)
def arranged(empty: object, world: World, request: pytest.FixtureRequest) -> object:
    """A shop whose apples have just fallen through their reorder point."""
    world.restore(empty)
    shop(world)
    send(world, CHANGE_VARIANT, {"shards": request.param}, role="admin", path={"id": _APPLES["variantId"]})
    _point(SET_POINT, {"quantity": 5})(world)
    world.drain()
    _moves("OUTBOUND", 6)(world)
    return world.snapshot()


@pytest.mark.parametrize("other", _OTHERS)
def test_whatever_comes_between_two_calls(world: World, arranged: object, other: str) -> None:
    act, times = _OTHERS[other]
    for _ in every_two(world.wire, partial(world.restore, arranged), partial(_look, world), partial(act, world)):
        world.drain()
        invariants.check(world)
        assert invariants.happened(world).get("StockLevelLow", 0) in times
        items = world.items("StockTable")
        levels = [item for item in items if is_level(item) and place_of(item)[:2] == (_APPLES["variantId"], _APPLES["id"])]
        available, (point,) = sum(each["available"] for each in levels), {each.get("reorder_point", 0) for each in levels}
        assert available != point, "a test of sides needs one"
        assert [each for each in levels if "low" in each] == [
            each for each in levels if not place_of(each)[2] and available < point
        ]
        TRIED["interleavings"] += 1
