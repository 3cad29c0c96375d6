"""
What the ledger has of levels, and what they say: read in the order that the proof needs (proof.py).

First the reservations of open orders, then the events that are listed since the last checkpoint, last the levels, consistently.
A reservation that was released in between makes nothing wrong: what was seen with it is looked at again.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import batched

from tillflow.contexts.stock import rules, store, tables
from tillflow.contexts.stock.checkpoints import Checkpoint, Pair
from tillflow.contexts.stock.entries import partitions_of_ledger
from tillflow.contexts.stock.proof import Account, Sight, Verdict
from tillflow.contexts.stock.reservations import reservation_id_of
from tillflow.contexts.stock.rules import Level, Line
from tillflow.storage.attributes import Item
from tillflow.storage.database import Run
from tillflow.values import clock

# DynamoDB's limit of one BatchGetItem.
_AT_ONCE = 100
# Two read units of entries.
_CHUNK = 150

type OpenOrders = Callable[[], Iterable[str]]
type Accounts = dict[Pair, Account]


def look(pairs: Sequence[Pair], open_orders: OpenOrders, known: Mapping[Pair, Checkpoint], horizon: str) -> list[Sight]:
    """Return what is seen of each of *pairs*, counted on from what is *known*; what was recorded before *horizon* is settled."""
    held = {tables.id_of(each): store.lines_of(each) for each in _reserved(open_orders()) if each["status"] in rules.STANDING}
    accounts, listed = _listed(pairs, known, horizon)
    loose: dict[Pair, set[str]] = {}
    for event_id, lines in held.items():
        for pair in dict.fromkeys(map(_pair, lines)):
            if pair in accounts and (pair, event_id) not in listed:
                accounts[pair].enter(event_id, _of(pair, lines), is_settled=False)
                loose.setdefault(pair, set()).add(event_id)
    sights = _sights(accounts)
    doubtful = {each for sight in sights if sight.verdict is Verdict.WRONG for each in loose.get(sight.pair, ())}
    released = doubtful - {tables.id_of(each) for each in store.find_events(doubtful) if each["status"] in rules.STANDING}
    return [sight.moved() if released & loose.get(sight.pair, set()) else sight for sight in sights]


def _reserved(order_ids: Iterable[str]) -> Iterator[Item]:
    return store.find_events([reservation_id_of(order_id) for order_id in order_ids])


def _listed(pairs: Sequence[Pair], known: Mapping[Pair, Checkpoint], horizon: str) -> tuple[Accounts, set[tuple[Pair, str]]]:
    """Return what is listed of each pair, and which events those are."""
    accounts, listed = {}, set()
    for pair in pairs:
        before = known.get(pair, Checkpoint())
        accounts[pair] = Account(max(horizon, before.until), dict(before.sums), dict(before.sums), before.last)
    for some in batched(_entries(pairs, known), _AT_ONCE, strict=False):
        events = read_events(entry for _, entry in some)
        for pair, entry in some:
            event_id, account = tables.event_id_of(entry), accounts[pair]
            listed.add((pair, event_id))
            if event_id in events:
                settled = tables.moment_of(entry) < account.until
                account.enter(event_id, _of(pair, store.lines_of(events[event_id])), is_settled=settled)
            else:
                account.lost.append((event_id, entry))
    return accounts, listed


def _entries(pairs: Sequence[Pair], known: Mapping[Pair, Checkpoint]) -> Iterator[tuple[Pair, Item]]:
    for pair in pairs:
        variant_id, warehouse_id = pair
        since = known.get(pair, Checkpoint()).until
        for entry in entries_since(since, partitions_of_ledger(warehouse_id, variant_id)):
            yield pair, entry


def entries_since(since: str, partitions: Iterable[str]) -> Iterator[Item]:
    """Yield what is listed in these partitions since a moment (ISO 8601), in order."""
    bounds = tables.bounds(since, clock.LATEST)
    names = map(tables.partition_of, partitions)
    runs = [Run(tables.movements(), each, bounds, descending=False, chunk=_CHUNK, consistent=False) for each in names]
    return heapq.merge(*runs, key=tables.position_of)


def read_events(entries: Iterable[Item]) -> dict[str, Item]:
    """Return the stock events of up to a hundred *entries*, by id; those that are not there are lost."""
    wanted = dict.fromkeys(map(tables.event_id_of, entries))
    # What a copy has that is a moment old is right: lines never change, and what is listed stands for good.
    found = {tables.id_of(event): event for event in store.find_events(wanted, consistent=False)}
    missing = [each for each in wanted if each not in found]
    return found | {tables.id_of(event): event for event in store.find_events(missing)}


def pairs_of(lines: Iterable[Line]) -> Iterator[Pair]:
    """Yield which variants the *lines* move in which warehouses."""
    return map(_pair, lines)


def _pair(line: Line) -> Pair:
    return line.variant_id, line.warehouse_id


def _of(pair: Pair, lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if _pair(line) == pair]


def _sights(accounts: Accounts) -> list[Sight]:
    variants = {each.variant_id: each for each in store.find_variants((each for each, _ in accounts), consistent=False)}
    levels: dict[Pair, dict[int, Level]] = {pair: {} for pair in accounts}
    places = []
    for pair, account in accounts.items():
        ever = variants[pair[0]].shards_ever if pair[0] in variants else 1
        places += [(*pair, shard) for shard in sorted({*range(ever), *account.standing})]
    for level in store.find_levels(places):
        levels[level.variant_id, level.warehouse_id][level.shard] = level
    skus = {variant_id: variant.sku for variant_id, variant in variants.items()}
    return [Sight(*pair, skus.get(pair[0], ""), account, levels[pair]) for pair, account in accounts.items()]
