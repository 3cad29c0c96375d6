"""
bench-load: many buyers at once over HTTP, on an emulator of their own, and whether everything adds up afterwards.

Seconds here are the emulator's and the machine's more than ours. So the emulator's floor is measured in the same run, and
what is compared is how many empty requests an order is worth.
"""

import shutil
from dataclasses import dataclass

from rich.table import Table

from local import STATE, LocalError
from local.bench import books, floor, plots, report
from local.bench.buyers import ARTICLES, GOOD, KINDS, LARGE, STOCK, Bought, Crowd, Day
from local.bench.floor import Floor
from local.bench.reconcile import CONFIRMED
from local.platform import emulator
from local.platform.deploy import deploy
from local.process import step
from local.shop.shop import Shop, open_shop

# How many buyers at once, besides those asked for, and which share of the orders they place.
CROWDS = {1: 0.1, 4: 0.3, 8: 0.5}
FEWEST = 20
# Starting a function takes the emulator a second of CPU, for each call at once: those that run are kept to the end.
SETTINGS = {"LAMBDA_WARM_TTL_SECONDS": "900"}
GOOD_CARDS = (GOOD, LARGE)
SHOWN = 10


@dataclass(frozen=True)
class Measured:
    """What a crowd's orders were like with good cards only and as they come, and the emulator's floor for as many callers."""

    good: Day
    mixed: Day
    floor: Floor

    @property
    def in_requests(self) -> float:
        """How many empty requests a good order is worth."""
        return self.floor.rate / self.good.rate


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
        crowds = {size: max(FEWEST, round(share * orders)) for size, share in CROWDS.items()} | {buyers: max(FEWEST, orders)}
        days, measured = _measure(shop, url, dict(sorted(crowds.items())))
        with step("reconcile"):
            wrong = [error for day in days for error in day.errors]
            wrong += _reconcile(shop, [bought for day in days for bought in day.bought])
    finally:
        emulator.stop(state)
    if wrong:
        raise LocalError(f"{len(wrong)} things are wrong (logs in {state}):\n" + "\n".join(wrong[:SHOWN]))
    shutil.rmtree(state)
    made = _table(measured)
    report.show(made)
    _plot(measured)
    report.write(
        "load",
        report.prose(_told(days)),
        report.markdown(made),
        report.picture("load", "Orders a second and seconds to confirmed"),
    )


def _measure(shop: Shop, url: str, crowds: dict[int, int]) -> tuple[list[Day], list[Measured]]:
    """Return every day that there was, and those that are told of: the first orders of each crowd start functions."""
    crowd, days, measured = Crowd(shop), [], []
    for size, orders in crowds.items():
        with step(f"{orders} orders, {size} at once"):
            days.append(crowd.warm_up(size))
            books.settle(shop.stack)
            good = crowd.buy(orders // 2, size, GOOD_CARDS)
            mixed = crowd.buy(orders // 2, size)
            books.settle(shop.stack)
            days += [good, mixed]
            measured.append(Measured(good, mixed, floor.measure(url, size)))
    return days, measured


def _reconcile(shop: Shop, bought: list[Bought]) -> list[str]:
    stocked = {article.variant_id: STOCK for article in shop.articles}
    return books.reconcile(shop.stack, [each.placed for each in bought], stocked)


def _table(measured: list[Measured]) -> Table:
    made = report.table(
        "buyers at once", "orders", "good cards: orders/s", "s to confirmed, p50", "p95",
        "the mix: orders/s", "s to confirmed, p50", "p95", "floor: requests/s", "s, p50", "a good order in empty requests",
    )  # fmt: skip
    for each in measured:
        figures = (
            f"{each.good.rate:.1f}", f"{each.good.percentile(50):.2f}", f"{each.good.percentile(95):.2f}",
            f"{each.mixed.rate:.1f}", f"{each.mixed.percentile(50):.2f}", f"{each.mixed.percentile(95):.2f}",
            f"{each.floor.rate:.0f}", f"{each.floor.seconds:.3f}", f"{each.in_requests:.0f}",
        )  # fmt: skip
        made.add_row(str(each.good.buyers), str(len(each.good.bought) + len(each.mixed.bought)), *figures)
    return made


def _told(days: list[Day]) -> str:
    bought = [each for day in days for each in day.bought]
    mix = ", ".join(f"{kind.percent}% {kind.name}" for kind in KINDS)
    confirmed = sum(each.placed.status == CONFIRMED for each in bought)
    return (
        "Orders over HTTP on a freshly deployed emulator, half of them with good cards only, half a mix: "
        f"{mix}. A buyer waits for the end of an order before the next. The floor is an empty function behind the same kind of"
        " API, for as many callers, in the same run."
        f" No request failed, and every order ended as it must. Afterwards the tables of all {len(bought)} orders (those that"
        f" only started functions too) were reconciled: each of the {confirmed} confirmed ones is charged once and whole, no"
        " other is charged, and each level of stock is what was moved less what is reserved."
    )


def _plot(measured: list[Measured]) -> None:
    # One colour for what is measured, dashes for its slowest.
    rates = {
        "empty requests (the floor)": ([each.floor.rate for each in measured], "C7-"),
        "orders, good cards": ([each.good.rate for each in measured], "C0-"),
        "orders, the mix": ([each.mixed.rate for each in measured], "C1-"),
    }
    seconds = {
        "to the end, the mix, p95": ([each.mixed.percentile(95) for each in measured], "C1--"),
        "to the end, the mix, p50": ([each.mixed.percentile(50) for each in measured], "C1-"),
        "to confirmed, good cards, p95": ([each.good.percentile(95) for each in measured], "C0--"),
        "to confirmed, good cards, p50": ([each.good.percentile(50) for each in measured], "C0-"),
        "empty request, p50 (the floor)": ([each.floor.seconds for each in measured], "C7-"),
    }
    buyers = [each.good.buyers for each in measured]
    panels = {"per second (log)": rates, "seconds (log)": seconds}
    plots.curves("load", "Many buyers at once, on the emulator", "buyers at once (log)", buyers, panels)
