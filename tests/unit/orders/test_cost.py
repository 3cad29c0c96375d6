"""What a confirmed order may write (docs/measured.md): nothing that lists, closes or watches a level costs a sale."""

import pytest

from tests import shop
from tests.metering import metered
from tests.world import World

# The sandbox gateway's own table stands for Stripe's servers.
_GATEWAY = "SandboxChargesTable"


def buy(world: World, lines: int) -> dict[str, int]:
    with metered() as meter:
        order = shop.order(world, *(shop.line(f"SKU-{number}") for number in range(lines)))
        for step in ("reserve_stock", "charge_payment", "complete_order"):
            world.step(step, order)
    assert {item["status"] for item in world.items("OrdersTable")} == {"confirmed"}
    return {table: units for table, units in meter.units.items() if table != _GATEWAY}


@pytest.mark.parametrize(("lines", "units"), [(1, 14), (3, 18)])
@pytest.mark.parametrize("watched", [False, True])
def test_a_confirmed_order_writes_so_much(world: World, lines: int, units: int, *, watched: bool) -> None:
    for number in range(lines):
        shop.stock(world, 5, f"SKU-{number}")
        path = {"id": shop.warehouse(world), "variantId": shop.variant(world, f"SKU-{number}")}
        route = "PUT /api/v1/warehouses/{id}/levels/{variantId}/reorder-point"
        assert not watched or world.call(route, path=path, body={"quantity": 5}, roles=["manager"]).status == 200

    assert sum(buy(world, lines).values()) == units
