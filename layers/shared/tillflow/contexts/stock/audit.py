"""
The audit of stock: every level is what the ledger's lines add up to (docs/adr/0016).

A run looks at what has changed since the last one, and at a slice of the rest (or at all of it). What it cannot prove yet, for
orders go on while it looks, it looks at again; what is wrong when it was counted anew from its first event on is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import batched, islice
from typing import Any

from tillflow.contexts.stock import changes, checkpoints
from tillflow.contexts.stock.accounts import OpenOrders, look
from tillflow.contexts.stock.changes import Place
from tillflow.contexts.stock.checkpoints import Checkpoint, Pair, Progress
from tillflow.contexts.stock.findings import Findings
from tillflow.contexts.stock.proof import Sight, Verdict
from tillflow.contexts.stock.returns import wrong_returns
from tillflow.runtime import deadline
from tillflow.values import clock

# What a run looks at of the levels that nothing has moved, if it is not to look at all.
QUIET_LEVELS = 1000
# No request lasts so long: what is written from now on is not recorded as of an earlier moment.
SETTLED_AFTER = timedelta(hours=1)
# So long the list may lack events before that is called wrong: it has an alarm of its own after five minutes.
PATIENCE = timedelta(hours=1)
_LOOKS = 4
_PAUSE_SECONDS = 3
_AT_ONCE = 50
# What is left to do when the time ends: to look at some again, and to note how far it came.
_SECONDS = 60
# More are not kept for the next run, which then begins where this one began.
_MOST_AGAIN = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What an audit looks at: what has changed, and *everything* else or a slice of it.

    *anew*: counted from the first event on, not from checkpoints. *repair*: what is wrong is corrected. *place*: where an audit
    of everything goes on that ran out of time.
    """

    everything: bool = False
    anew: bool = False
    repair: bool = False
    place: Place | None = None


class Audit:
    """One run of an audit; *open_orders* are asked for whenever it looks at levels."""

    def __init__(self, wanted: Wanted, open_orders: OpenOrders) -> None:
        self._wanted, self._open_orders = wanted, open_orders
        self._findings = Findings(repair=wanted.repair)
        self._horizon = clock.iso(clock.now() - SETTLED_AFTER)
        self._looked_at: set[Pair] = set()
        self._proven = 0
        self._unproven: dict[Pair, Sight] = {}
        # Those that two looks in a row have seen the same.
        self._standing: set[Pair] = set()
        self._finished = True

    def run(self) -> dict[str, Any]:
        """
        Look, and return what was seen and what is wrong.

            {"auditId", "lookedAt", "proven": how many levels (all shards of a variant in a warehouse are one),
             "unproven": [{"variantId", "warehouseId"}] that moved all the while,
             "differences": [{"variantId", "sku", "warehouseId", "shard", "available", "ledger", "units", "events",
                              "lostEvents", "since", "provenAt", "repaired", "repairedBy"}],
             "returns": [{"orderId", "reason"}], "found", "repaired": how many, "finished", "place"}

        *since*: the last event that the level was proven with. Where it is not *finished*, it goes on at *place* (null: from the
        beginning).
        """
        progress, place, until = checkpoints.progress(), self._wanted.place, clock.EARLIEST
        if place is None:
            self._look_at(progress.again)
            self._findings.returns(wrong_returns(progress.orders))
            until = self._look_at_changes(progress.until)
        if self._finished:
            place = self._look_at_others(place or (("", "") if self._wanted.everything else progress.place))
        self._look_again()
        self._judge()
        self._keep(progress, until, place or ("", ""))
        told = self._findings.answer()
        seen = {"lookedAt": len(self._looked_at), "proven": self._proven, "unproven": [_named(each) for each in self._unproven]}
        return told | seen | {"finished": self._finished, "place": None if self._finished else place}

    def _look_at_changes(self, since: str) -> str:
        """Look at what has changed since then, and return until when all of it was looked at."""
        reached = since
        for some in changes.since(since):
            if deadline.remaining() < _SECONDS:
                self._finished = False
                return reached
            self._look_at(some.pairs)
            self._findings.returns(wrong_returns(some.returned))
            reached = max(since, min(some.until, self._horizon))
        return max(since, self._horizon)

    def _look_at_others(self, place: Place) -> Place:
        """Look at the levels after *place*, and return the place of the last; of the very last, the beginning."""
        everything = self._wanted.everything
        levels = changes.every_level(place, gone=everything)
        looked = 0
        for some in batched(levels if everything else islice(levels, QUIET_LEVELS), _AT_ONCE, strict=False):
            if deadline.remaining() < _SECONDS:
                self._finished = not everything
                return place
            self._look_at(pair for _, pair in some)
            looked, place = looked + len(some), some[-1][0]
        return ("", "") if everything or looked < QUIET_LEVELS else place

    def _look_at(self, pairs: Iterable[Pair]) -> None:
        for some in batched([pair for pair in dict.fromkeys(pairs) if pair not in self._looked_at], _AT_ONCE, strict=False):
            self._looked_at.update(some)
            self._look(some, anew=self._wanted.anew)

    def _look(self, pairs: Sequence[Pair], *, anew: bool) -> None:
        if not pairs:
            return
        known = {} if anew else checkpoints.read(pairs)
        proven = {}
        for sight in look(pairs, self._open_orders, known, self._horizon):
            if sight.verdict is Verdict.PROVEN:
                proven[sight.pair] = _checkpoint_of(sight)
            elif sight.verdict is Verdict.WRONG and anew:
                self._findings.tell(sight)
            else:
                before = self._unproven.get(sight.pair)
                if before and before.stands == sight.stands:
                    self._standing.add(sight.pair)
                self._unproven[sight.pair] = sight
                continue
            self._unproven.pop(sight.pair, None)
        checkpoints.write(proven)
        self._proven += len(proven)

    def _look_again(self) -> None:
        for _ in range(_LOOKS):
            if not self._unproven or deadline.remaining() < _SECONDS:
                return
            clock.sleep(_PAUSE_SECONDS)
            self._standing.clear()
            wrong = [pair for pair, sight in self._unproven.items() if sight.verdict is Verdict.WRONG]
            for anew, pairs in ((True, wrong), (False, [pair for pair in self._unproven if pair not in wrong])):
                for some in batched(pairs, _AT_ONCE, strict=False):
                    self._look(some, anew=anew)

    def _judge(self) -> None:
        """Tell of what was not all seen, if it never will be; note since when it was not."""
        known = checkpoints.read(self._unproven)
        noted, due = {}, {}
        for pair, sight in self._unproven.items():
            before = known.get(pair, Checkpoint())
            since, stood = before.unseen or ("", [])
            if (sight.account.lost and pair in self._standing) or (stood == sight.stands and _is_long_ago(since)):
                due[pair] = sight
            elif stood != sight.stands:
                noted[pair] = replace(before, unseen=(clock.iso(clock.now()), sight.stands))
        checkpoints.write(noted)
        for some in batched(due, _AT_ONCE, strict=False):
            self._look(some, anew=True)
        for pair, sight in due.items():
            if pair in self._unproven and self._unproven[pair].stands == sight.stands:
                self._findings.tell(self._unproven.pop(pair))

    def _keep(self, progress: Progress, until: str, place: Place) -> None:
        left = [pair for pair in progress.again if pair not in self._looked_at]
        again = tuple(dict.fromkeys([*left, *self._unproven, *self._findings.pairs]))
        orders = tuple(self._findings.orders)
        kept = replace(progress, again=again[:_MOST_AGAIN], orders=orders[:_MOST_AGAIN])
        if self._wanted.place is None and len(again) <= _MOST_AGAIN and len(orders) <= _MOST_AGAIN:
            kept = replace(kept, until=until)
        checkpoints.keep(kept if self._wanted.everything else replace(kept, place=place))


def _checkpoint_of(sight: Sight) -> Checkpoint:
    return Checkpoint(sight.account.until, sight.account.settled, sight.account.last, clock.iso(clock.now()))


def _is_long_ago(moment: str) -> bool:
    return moment <= clock.iso(clock.now() - PATIENCE)


def _named(pair: Pair) -> Mapping[str, str]:
    return {"variantId": pair[0], "warehouseId": pair[1]}
