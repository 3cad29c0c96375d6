"""An import that runs twice at once, or beside sales, call by call: each row is recorded once, whoever comes between."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.faults import invariants
from tests.faults.client import send
from tests.faults.command import Act
from tests.faults.commands import ONE_LINE, order, shop
from tests.faults.together import Together
from tests.faults.trials import TRIED
from tests.faults.world import World
from tillflow.contexts.stock.importstore import unpacked
from tillflow.contexts.stock.store import lines_of

_MOST_CALLS = 40
# The second delivery is not recorded with the first, and of what goes out one row alone can be.
_FILE = """type,warehouseCode,sku,quantity,reasonCode,notes
INBOUND,HAMBURG,APPLE,3,PURCHASE,first
INBOUND,HAMBURG,PEAR,1,PURCHASE,second
OUTBOUND,HAMBURG,APPLE,90,DAMAGE,both
OUTBOUND,HAMBURG,PEAR,1,DAMAGE,both
"""


def _run(world: World) -> None:
    for import_id in invariants.importing(world):
        world.invoke("stock/record_import", {"import_id": import_id})


@pytest.fixture(scope="module")
def arranged(empty: object, world: World) -> object:
    """A shop with a file that is taken in, and nothing of it recorded."""
    world.restore(empty)
    shop(world)
    send(world, "POST /api/v1/stock-events/import", _FILE, role="admin", key="k")
    world.pending.starts.clear()
    return world.snapshot()


def _hold(world: World) -> None:
    world.drain()
    _run(world)
    world.drain()
    invariants.check(world)
    assert not invariants.importing(world)
    (progress,) = [item for item in world.items("StockTable") if item["sk"].startswith("PROGRESS#")]
    outcomes: list[Any] = unpacked(progress["outcomes"])
    assert [type(each) for each in outcomes] == [int, int, list, int]
    of_import = [item for item in world.items("StockTable") if item.get("notes") in {"first", "second", "both"}]
    moved = sorted((line.sku, line.quantity) for item in of_import for line in lines_of(item))
    assert moved == [("APPLE", 3), ("PEAR", -1), ("PEAR", 1)]
    TRIED["interleavings"] += 1


_OTHERS: dict[str, Act] = {"another run": _run, "an order": order(ONE_LINE)}


@pytest.mark.parametrize("other", _OTHERS)
@pytest.mark.parametrize("first", [0, 1])
def test_whatever_comes_between_two_calls(world: World, arranged: object, other: str, first: int) -> None:
    acts: tuple[Callable[[World], None], ...] = (_run, _OTHERS[other])
    for calls in range(_MOST_CALLS):
        for others in range(_MOST_CALLS):
            world.restore(arranged)
            with Together(world.wire, *(partial(act, world) for act in acts)) as both:
                goes_on = both.turn(first, calls)
                others_go_on = both.turn(1 - first, others)
                both.finish(first)
            _hold(world)
            if not others_go_on:
                break
        if not goes_on:
            break


@pytest.mark.parametrize("calls", range(1, 14))
def test_a_run_that_dies_is_gone_on_with(world: World, arranged: object, calls: int) -> None:
    world.restore(arranged)
    with Together(world.wire, partial(_run, world)) as alone:
        alone.turn(0, calls)
        alone.die(0)
    _hold(world)
