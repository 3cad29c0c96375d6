"""The audit's proof: what is right is never called wrong, whatever is seen of it, and what is wrong never right."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tillflow.contexts.stock.proof import Account, Sight, Sum, Verdict, returns_wrongly
from tillflow.contexts.stock.rules import Level, Line
from tillflow.values import clock

# A ledger: the events that stand, each with the shards that its lines move, and by how much.
ledgers = st.lists(st.dictionaries(st.integers(0, 2), st.integers(-5, 9), min_size=1, max_size=3), max_size=8)
type Ledger = list[dict[int, int]]


def line(quantity: int, shard: int = 0) -> Line:
    return Line("v", "SKU", "w", quantity, shard)


def account(ledger: Ledger) -> Account:
    whole = Account(clock.LATEST)
    for number, event in enumerate(ledger):
        whole.enter(str(number), [line(quantity, shard) for shard, quantity in event.items()], is_settled=number == 0)
    return whole


def levels(ledger: Ledger) -> dict[int, Level]:
    """Return the levels as the commits make them that write these events."""
    made: dict[int, Level] = {}
    for event in ledger:
        for shard, quantity in event.items():
            had = made.get(shard, Level("v", "w", 0, shard=shard))
            made[shard] = replace(had, available=had.available + quantity, events=had.events + 1)
    return made


def sight(seen: Ledger, present: dict[int, Level]) -> Sight:
    return Sight("v", "w", "SKU", account(seen), present)


def never_negative(ledger: Ledger) -> bool:
    return all(level.available >= 0 for level in levels(ledger).values())


@given(ledgers.filter(never_negative))
def test_what_is_right_is_proven(ledger: Ledger) -> None:
    assert sight(ledger, levels(ledger)).verdict is Verdict.PROVEN
    assert sight(ledger, levels(ledger)).differences == []


@given(ledgers.filter(never_negative), st.data())
def test_what_was_not_all_seen_is_never_called_wrong_nor_proven(ledger: Ledger, data: st.DataObject) -> None:
    seen = [event for event in ledger if data.draw(st.booleans())]

    expected = Verdict.PROVEN if len(seen) == len(ledger) else Verdict.UNSEEN
    assert sight(seen, levels(ledger)).verdict is expected


@given(ledgers.filter(never_negative).filter(bool), st.integers(-4, 4).filter(bool), st.data())
def test_a_level_that_somebody_has_changed_is_wrong_by_so_much(ledger: Ledger, more: int, data: st.DataObject) -> None:
    present = levels(ledger)
    shard = data.draw(st.sampled_from(sorted(present)))
    broken = present | {shard: replace(present[shard], available=present[shard].available + more)}

    found = sight(ledger, broken)

    assert found.verdict is Verdict.WRONG
    assert [(each.level.shard, each.units) for each in found.differences] == [(shard, more)]


@given(ledgers.filter(never_negative).filter(bool))
def test_an_event_that_no_level_counts_is_wrong_and_so_is_a_level_that_is_gone(ledger: Ledger) -> None:
    assert sight([*ledger, {0: 1}], levels(ledger)).verdict is Verdict.WRONG
    assert sight(ledger, {}).verdict is Verdict.WRONG


def test_fewer_than_no_units_are_wrong_even_where_the_ledger_says_so() -> None:
    found = sight([{0: -3}], levels([{0: -3}]))

    assert found.verdict is Verdict.WRONG
    assert found.differences[0].corrected == Level("v", "w", 0, events=2)


def test_an_event_that_is_listed_and_not_in_the_ledger_is_wrong_once_nothing_else_is_unseen() -> None:
    seen = sight([{0: 5}], {0: Level("v", "w", 5, events=1)})
    seen.account.lost.append(("an-event", {}))

    assert seen.verdict is Verdict.WRONG
    assert replace(seen, levels={0: Level("v", "w", 4, events=2)}).verdict is Verdict.UNSEEN


@given(ledgers, st.dictionaries(st.integers(0, 2), st.tuples(st.integers(-5, 9), st.integers(0, 8))))
def test_after_its_correction_everything_is_proven(ledger: Ledger, present: dict[int, tuple[int, int]]) -> None:
    found = sight(ledger, {shard: Level("v", "w", units, shard=shard, events=n) for shard, (units, n) in present.items()})
    corrected = {each.level.shard: each.corrected for each in found.differences}
    lines = {shard: level.available - found.account.standing.get(shard, Sum()).units for shard, level in corrected.items()}

    written = [*ledger, {shard: quantity for shard, quantity in lines.items() if quantity}]

    assert sight(written, {**found.levels, **corrected}).verdict is Verdict.PROVEN


def test_a_sale_that_is_returned_comes_back_as_it_went() -> None:
    sold = [line(-2), line(-1, 4)]

    assert returns_wrongly(sold, [line(1, 4), line(2)], is_returned=True) is None
    assert returns_wrongly(sold, None, is_returned=False) is None
    assert returns_wrongly(sold, [line(2)], is_returned=True) == "other units came back than it had"
    assert returns_wrongly(sold, None, is_returned=True) == "its units never came back"
    assert returns_wrongly(sold, [line(2)], is_returned=False) == "its units came back, though it was not returned"
