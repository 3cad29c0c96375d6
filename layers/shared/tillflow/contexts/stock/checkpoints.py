"""What an audit leaves for the next one (docs/adr/0016), beside the movements that it counts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tillflow.contexts.stock import tables
from tillflow.contexts.stock.proof import Sum
from tillflow.storage import batch, database
from tillflow.storage.attributes import Item
from tillflow.values import clock

# A variant's id and a warehouse's: all shards are counted together, for they have the same events.
type Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """
    The *sums* of all that was recorded before *until* in a variant's shards in a warehouse.

    With the event *last* they were proven, at *proven_at*. *unseen* is what a look has shown since then, and when it was first
    seen, where the ledger had too few events.
    """

    until: str = clock.EARLIEST
    sums: dict[int, Sum] = field(default_factory=dict)
    last: str | None = None
    proven_at: str | None = None
    unseen: tuple[str, list[list[int]]] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far audits have come: every change *until* then was looked at, but for *again*; of the rest, all up to a *place*."""

    until: str = clock.EARLIEST
    place: tuple[str, str] = ("", "")
    again: tuple[Pair, ...] = ()
    orders: tuple[str, ...] = ()


def read(pairs: Iterable[Pair]) -> dict[Pair, Checkpoint]:
    """Return the checkpoints that there are, half a read unit each."""
    keys = [tables.checkpoint_key(*pair) for pair in pairs]
    found = database.batch(tables.movements(), keys, consistent=False)
    return {tables.checkpoint_of(item): _checkpoint(item) for item in found}


def pairs_in(warehouse_id: str) -> Iterator[Pair]:
    """Yield what has a checkpoint in a warehouse."""
    return map(tables.checkpoint_of, database.partition(tables.movements(), tables.checkpoints_partition(warehouse_id)))


def write(checkpoints: dict[Pair, Checkpoint]) -> None:
    """Keep them."""
    items = (tables.checkpoint_key(*pair) | _item(checkpoint) for pair, checkpoint in checkpoints.items())
    batch.put(tables.movements(), items)


def progress() -> Progress:
    """Return how far audits have come."""
    item = database.get(tables.movements(), tables.audits_key())
    if item is None:
        return Progress()
    again = tuple((variant_id, warehouse_id) for variant_id, warehouse_id in item["again"])
    return Progress(item["until"], (item["code"], item["sku"]), again, tuple(item["orders"]))


def keep(progress: Progress) -> None:
    """Note how far audits have come."""
    item = tables.audits_key() | {
        "until": progress.until,
        "code": progress.place[0],
        "sku": progress.place[1],
        "again": [list(pair) for pair in progress.again],
        "orders": list(progress.orders),
    }
    batch.put(tables.movements(), [item])


def _checkpoint(item: Item) -> Checkpoint:
    sums = {int(shard): Sum(*each) for shard, each in item["sums"].items()}
    unseen = (item["unseen_since"], item["unseen"]) if "unseen" in item else None
    return Checkpoint(item["until"], sums, item.get("last"), item.get("proven_at"), unseen)


def _item(checkpoint: Checkpoint) -> dict[str, Any]:
    since, seen = checkpoint.unseen or (None, None)
    return {
        "until": checkpoint.until,
        "sums": {str(shard): [each.units, each.events] for shard, each in checkpoint.sums.items()},
        "last": checkpoint.last,
        "proven_at": checkpoint.proven_at,
        "unseen_since": since,
        "unseen": seen,
    }
