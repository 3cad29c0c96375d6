"""
`make bench-hot-sku`: how many orders a second one SKU takes, by its shards and by how many want it at once.

Our own code reserves and sells against DynamoDB as its limits are published, in simulated time (limits.py, sale.py): no
machine's speed is in the figures, and the same are found again everywhere.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles

from rich.table import Table

from local.bench import plots, report
from local.process import console
from tests.simulation.limits import READ_UNITS, WRITE_UNITS, Seconds
from tests.simulation.sale import Hall, Sold, hall

SHARDS = (1, 2, 4, 8, 16, 32, 64)
CROWDS = (16, 64, 256)
# Who finds nothing left does not stand in another's way: one crowd tells.
LATE_CROWD = 64
PLENTY = 1_000_000
BUYERS_A_SHARD = 8
UNTIL_SECONDS = 3.0
# A transaction that has its items for half as long, and for twice as long: nobody knows.
SHORT, LONG = (Seconds(transaction=(0.003, 0.006)), Seconds(transaction=(0.012, 0.024)))


@dataclass(frozen=True, slots=True)
class Measured:
    """What so many *shards* sold, by how many wanted one at once; and what they were like when all was sold."""

    shards: int
    sold: dict[int, Sold]
    refused: Sold


def main() -> int:
    """Simulate every sale; write the section and its plot."""
    with hall() as place:
        measured = list(_measure(place))
        held = {name: _at_most(place, calls) for name, calls in (("half", SHORT), ("twice", LONG))}
    made = _table(measured)
    report.show(made)
    _plot(measured)
    report.write(
        "hot-sku",
        report.prose(_told()),
        report.markdown(made),
        report.prose(_where_it_bends(measured, held)),
        report.picture("hot-sku", "Orders a second by shards"),
    )
    return 0


def _measure(place: Hall) -> Iterator[Measured]:
    for shards in SHARDS:
        sold = {buyers: _sale(place, shards, buyers, PLENTY) for buyers in CROWDS}
        refused = _sale(place, shards, LATE_CROWD, shards)  # gone within the first second
        console.print(f"{shards} shards: {', '.join(f'{sale.rate:.0f}/s of {buyers}' for buyers, sale in sold.items())}")
        yield Measured(shards, sold, refused)


def _sale(place: Hall, shards: int, buyers: int, units: int, calls: Seconds | None = None) -> Sold:
    return place.sale(shards=shards, units=units, buyers=buyers, until=UNTIL_SECONDS, calls=calls or Seconds())


def _at_most(place: Hall, calls: Seconds) -> float:
    """Return what one shard sells a second when calls take so long."""
    return _sale(place, 1, CROWDS[1], PLENTY, calls).rate


def _table(measured: list[Measured]) -> Table:
    crowds = [f"{buyers} buyers: orders/s" for buyers in CROWDS]
    of_most = ("a shard", "s, p50", "s, p95", "write units")
    made = report.table("shards", *crowds, *of_most, "refused/s", "read units")
    for each in measured:
        most, refused = each.sold[CROWDS[-1]], each.refused
        percentiles = quantiles(most.took, n=100)
        figures = (
            *(f"{each.sold[buyers].rate:.0f}" for buyers in CROWDS),
            f"{most.rate / each.shards:.0f}", f"{percentiles[49]:.2f}", f"{percentiles[94]:.2f}",
            f"{most.write_units / most.orders:.1f}", f"{refused.rate:.0f}", f"{refused.read_units / refused.orders:.1f}",
        )  # fmt: skip
        made.add_row(str(each.shards), *figures)
    return made


def _told() -> str:
    calls = Seconds()
    return (
        "Our own code (`reservations.reserve`, then `commit_sale`) in simulated time, against DynamoDB with the limits that are"
        f" published: a partition takes {WRITE_UNITS:,} write and {READ_UNITS:,} read units a second, and each partition key has"
        " one to itself, without burst or adaptive capacity; of two transactions on an item at the same moment the second is"
        " answered `TransactionConflict`, billed, and sent again after a pause (full jitter). What is not published is assumed:"
        f" a transaction has its items for {_milliseconds(calls.transaction)}, a write takes {_milliseconds(calls.write)}, a read"
        f" {_milliseconds(calls.read)}, and the way there {_milliseconds(calls.travel)}. A buyer is a saga, in a process of its"
        " own, that reserves one unit, sells it, and goes on with the next order at once. The other steps of an order are left"
        " out, for no two orders write to the same items there. The first second is not counted. Seconds and *write units* (5 an"
        f" order if nobody is in its way) are those of {CROWDS[-1]} buyers; *refused* are {LATE_CROWD} buyers when all is sold."
    )


def _milliseconds(between: tuple[float, float]) -> str:
    return f"{1000 * between[0]:g} to {1000 * between[1]:g} ms"


def _where_it_bends(measured: list[Measured], held: dict[str, float]) -> str:
    by_shards = {each.shards: each for each in measured}
    # As many buyers a shard.
    few, many = (by_shards[crowd // BUYERS_A_SHARD].sold[crowd].rate for crowd in (CROWDS[0], CROWDS[-1]))
    return (
        f"One shard sells {measured[0].sold[CROWDS[1]].rate:.0f} orders a second, not the 500 that its write units would allow,"
        f" for one transaction at a time has it (for half as long, {held['half']:.0f}; for twice as long, {held['twice']:.0f})."
        f" To {CROWDS[-1]} buyers it sells {measured[0].sold[CROWDS[-1]].rate:.0f}: what is sent away fills its write units."
        f" N shards sell N times as much to N times the buyers: with {BUYERS_A_SHARD} buyers a shard, {CROWDS[0]} buyers"
        f" {few:.0f} orders a second, {CROWDS[-1]} buyers {many:.0f}. It bends where buyers are too few"
        f" ({CROWDS[0]} never buy more than {max(each.sold[CROWDS[0]].rate for each in measured):.0f}, for each order takes its"
        " time), and where all is sold: a refusal reads every shard once, and twice the variant, so that the variant's partition"
        f" refuses {READ_UNITS // 2:,} a second at most, however many shards it has (one shard alone, twice as many; what is"
        " throttled is tried again by the saga, and billed). What an order writes elsewhere has a limit that no shards lift: the"
        " four partitions of the index of unsettled orders take 2,000 orders a second. Tried, and no better: to draw another"
        " shard at once where one is busy, instead of waiting for it."
    )


def _plot(measured: list[Measured]) -> None:
    shards = [each.shards for each in measured]
    one = measured[0].sold[CROWDS[1]].rate
    sold = {"N times one shard": ([one * each for each in shards], "C7--")}
    sold |= {f"{buyers} buyers": ([each.sold[buyers].rate for each in measured], f"C{n}-") for n, buyers in enumerate(CROWDS)}
    waited = {
        f"{buyers} buyers, p95": ([quantiles(each.sold[buyers].took, n=100)[94] for each in measured], f"C{n}-")
        for n, buyers in enumerate(CROWDS)
    }
    panels = {"confirmed a second (log)": sold, "seconds until reserved and sold (log)": waited}
    plots.curves("hot-sku", "One SKU that everybody wants", "shards (log)", shards, panels)


if __name__ == "__main__":
    sys.exit(main())
