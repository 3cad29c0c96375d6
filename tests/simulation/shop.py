"""The shop of the simulated days: who is there, where, and what there is to buy."""

from tests.faults.client import move_stock, send
from tests.faults.world import World
from tests.simulation.plays import accounts as living
from tests.simulation.plays import eventflow as sending

BUYERS = ("ann", "ben", "cem", "dora", "eve", "finn")
OPERATORS = ("olga", "otto")
MANAGERS = ("mia", "max")
SELLERS = ("sam", "sue")
WAREHOUSES = ("HAMBURG", "BREMEN", "KIEL")
# There is always enough of the first, seldom of the others; the last may not be sold.
PLENTY, SCARCE, CLOSED = "RICE", ("APPLE", "PEAR", "PLUM"), "MOTH"
SKUS = (PLENTY, *SCARCE, CLOSED)
SHARDS = {PLENTY: 4, "APPLE": 3}


def open_shop(world: World) -> None:
    """Open it: apples and pears in two places, plums in one; sellers may move stock in Bremen and Kiel. Some have logged in."""
    living.move_in()
    sending.move_in()
    for code in WAREHOUSES:
        sellers = [] if code == "HAMBURG" else list(SELLERS)
        send(world, "POST /api/v1/warehouses", {"code": code, "name": code.title(), "sellerIds": sellers}, role="admin")
    for sku in SKUS:
        body = {"sku": sku, "name": sku.title(), "active": sku != CLOSED, "shards": SHARDS.get(sku, 1)}
        send(world, "POST /api/v1/variants", body, role="admin")
    move_stock(world, "INBOUND", "HAMBURG", {PLENTY: 100_000, "APPLE": 4, "PEAR": 2}, key=None)
    move_stock(world, "INBOUND", "BREMEN", {"APPLE": 2, "PEAR": 1, "PLUM": 1}, key=None)
