"""
bench-sale: a sale of one SKU over HTTP, on an emulator of their own: more want it than there is, and its shards change meanwhile.

No order may be lost, none too many confirmed, and everything must add up. How fast that is says nothing (see bench-hot-sku):
the emulator lets orders for one SKU wait for each other.
"""

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle

from local import STATE, LocalError
from local.bench import books
from local.bench.buyers import FAILED, HOT, Crowd
from local.bench.load import SETTINGS, SHOWN
from local.bench.reconcile import CONFIRMED
from local.platform import emulator
from local.platform.deploy import deploy
from local.process import console, step
from local.shop.client import TryAgain
from local.shop.shop import Shop, open_shop

# How many shards the SKU has, one number after the other for so long.
SHARDS = (4, 16, 1, 8)
EVERY_SECONDS = 15


def run(orders: int, buyers: int, units: int) -> None:
    """
    Have *buyers* at once place *orders* of one unit each, of which there are *units*.

    Raises:
        LocalError: not as many were confirmed as there were units, or the books do not balance.
    """
    state = STATE / "bench" / "sale"
    try:
        stack = deploy(emulator.start(state, settings=SETTINGS).endpoint, state)
        shop = open_shop(stack, 1, units)
        with step(f"{orders} orders of {buyers} at once for {units} units"), _resharding(shop) as changes:
            sale = Crowd(shop).buy(orders, buyers, [HOT], in_turn=True)
            books.settle(stack)
        with step("reconcile"):
            placed = [bought.placed for bought in sale.bought]
            wrong = [*sale.errors, *books.reconcile(stack, placed, {shop.articles[0].variant_id: units})]
    finally:
        emulator.stop(state)
    ended = Counter(bought.placed.status for bought in sale.bought)
    console.print(
        f"{ended[CONFIRMED]} confirmed, {ended[FAILED]} refused in {sale.elapsed:.0f} s, {changes[0]} changes of shards"
    )
    if ended != Counter({CONFIRMED: min(orders, units), FAILED: max(0, orders - units)}):
        wrong.append(f"{units} units were there")
    if wrong:
        raise LocalError(f"{len(wrong)} things are wrong (logs in {state}):\n" + "\n".join(wrong[:SHOWN]))
    shutil.rmtree(state)
    console.print("every order, charge and unit adds up")


@contextmanager
def _resharding(shop: Shop) -> Iterator[list[int]]:
    """Change the SKU's shards every now and then until the block ends; the list that this yields says how often."""
    over, times = threading.Event(), [0]

    def change() -> None:
        for shards in cycle(SHARDS):
            with suppress(TryAgain):  # Whatever is left is done by the next change.
                shop.manager.reshard(shop.articles[0].variant_id, shards)
                times[0] += 1
            if over.wait(EVERY_SECONDS):
                return

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join()
