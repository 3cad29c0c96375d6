"""
bench-load: many buyers at once over HTTP, on an emulator of their own, and whether everything adds up afterwards.

Seconds here are the emulator's and the machine's more than ours. So the emulator's floor is measured in the same run, and
what is compared is how many empty requests an order is worth.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from rich.table import Table

from local import STATE, LocalError, emulator
from local.bench import floor, plots, report
from local.bench.buyers import ARTICLES, KINDS, STOCK, Bought, Crowd, Day
from local.bench.floor import Floor
from local.bench.reconcile import CONFIRMED, Item, discrepancies
from local.deploy import deploy
from local.process import step
from local.shop import Shop, open_shop
from local.stack import Stack
from local.wait import until

# How many buyers at once, besides those asked for, and which share of the orders they place.
CROWDS = {1: 0.1, 4: 0.2, 8: 0.4}
# Starting a function takes the emulator a second of CPU, for each call at once: those that run are kept to the end.
SETTINGS = {"LAMBDA_WARM_TTL_SECONDS": "900"}
SECONDS_TO_SETTLE = 60
SHOWN = 10


@dataclass(frozen=True)
class Measured:
    """What a crowd's *day* was like, and the emulator's floor for as many callers."""

    day: Day
    floor: Floor

    @property
    def rate(self) -> float:
        """Orders that ended, a second."""
        return len(self.day.bought) / self.day.elapsed

    @property
    def confirmed_rate(self) -> float:
        """Orders that were confirmed, a second."""
        return len(self.day.confirmed_seconds) / self.day.elapsed

    def percentile(self, percent: int) -> float:
        """Return the seconds within which so many percent of the confirmed orders were."""
        return quantiles(self.day.confirmed_seconds, n=100)[percent - 1]


def run(orders: int, buyers: int) -> None:
    """
    Measure crowds of several sizes, *orders* by *buyers* at once among them; write the section and its plot.

    Raises:
        LocalError: an order went wrong, or the books do not balance.
    """
    state = STATE / "bench" / "load"
    try:
        stack = deploy(emulator.start(state, settings=SETTINGS).endpoint, state)
        url = floor.deploy(stack.aws)
        shop = open_shop(stack, ARTICLES, STOCK)
        crowds = {size: round(share * orders) for size, share in CROWDS.items()} | {buyers: orders}
        days, measured = _measure(Crowd(shop), url, dict(sorted(crowds.items())))
        wrong = [error for day in days for error in day.errors]
        with step("reconcile"):
            wrong += _reconcile(shop, [bought for day in days for bought in day.bought])
    finally:
        emulator.stop(state)
    if wrong:
        raise LocalError(f"{len(wrong)} things are wrong (logs in {state}):\n" + "\n".join(wrong[:SHOWN]))
    shutil.rmtree(state)
    made = _table(measured)
    report.show(made)
    _plot(measured)
    report.write("load", _told(days), report.markdown(made), report.picture("load", "Orders a second and seconds to confirmed"))


def _measure(crowd: Crowd, url: str, crowds: dict[int, int]) -> tuple[list[Day], list[Measured]]:
    """Return every day that there was, and what is told of: the first orders of each size start functions."""
    days, measured = [], []
    for size, orders in crowds.items():
        with step(f"{orders} orders, {size} at once"):
            days += [crowd.buy(size, size), crowd.buy(orders, size)]
            measured.append(Measured(days[-1], floor.measure(url, size)))
    return days, measured


def _reconcile(shop: Shop, bought: list[Bought]) -> list[str]:
    tables = {"orders": "OrdersTable", "charges": "SandboxChargesTable", "stock": "StockTable"}

    def settled() -> bool | None:
        return not any("due_at" in order for order in _items(shop.stack, "OrdersTable")) or None

    try:
        until(settled, seconds=SECONDS_TO_SETTLE, what="every saga to end")
    except LocalError as error:
        return [str(error)]
    items = {name: list(_items(shop.stack, table)) for name, table in tables.items()}
    stocked = {article.variant_id: STOCK for article in shop.articles}
    return discrepancies([each.placed for each in bought], stocked, **items)


def _items(stack: Stack, table: str) -> Iterator[Item]:
    read = TypeDeserializer().deserialize
    for page in stack.aws.dynamodb.get_paginator("scan").paginate(TableName=stack.tables[table], ConsistentRead=True):
        for item in page["Items"]:
            yield {name: read(value) for name, value in item.items()}


def _table(measured: list[Measured]) -> Table:
    made = report.table(
        "buyers at once", "orders", "orders/s", "confirmed/s", "s to confirmed, p50", "p95",
        "floor: requests/s", "s, p50", "an order in empty requests",
    )  # fmt: skip
    for each in measured:
        figures = (
            f"{each.rate:.1f}", f"{each.confirmed_rate:.1f}", f"{each.percentile(50):.2f}", f"{each.percentile(95):.2f}",
            f"{each.floor.rate:.0f}", f"{each.floor.seconds:.3f}", f"{each.floor.rate / each.rate:.1f}",
        )  # fmt: skip
        made.add_row(str(each.day.buyers), str(len(each.day.bought)), *figures)
    return made


def _told(days: list[Day]) -> str:
    bought = [each for day in days for each in day.bought]
    mix = ", ".join(f"{kind.percent}% {kind.name}" for kind in KINDS)
    confirmed = sum(each.placed.status == CONFIRMED for each in bought)
    return (
        f"Orders over HTTP on a freshly deployed emulator: {mix}. A buyer waits for the end of an order before the next."
        " The floor is an empty function behind the same kind of API, for as many callers, in the same run."
        f" No request failed, and every order ended as it must. Afterwards the tables of all {len(bought)} orders (those that"
        f" only started functions too) were reconciled: each of the {confirmed} confirmed ones is charged once and whole, no"
        " other is charged, and each level of stock is what was moved less what is reserved."
    )


def _plot(measured: list[Measured]) -> None:
    sizes = [each.day.buyers for each in measured]
    rates: dict[str, Any] = {
        "orders": [each.rate for each in measured],
        "confirmed orders": [each.confirmed_rate for each in measured],
        "empty requests (the floor)": [each.floor.rate for each in measured],
    }
    seconds: dict[str, Any] = {
        "to confirmed, p95": [each.percentile(95) for each in measured],
        "to confirmed, p50": [each.percentile(50) for each in measured],
        "empty request, p50 (the floor)": [each.floor.seconds for each in measured],
    }
    plots.curves("load", "buyers at once", sizes, {"a second": rates, "seconds": seconds})
