"""Allocation: exactly what is wanted, from what is there, or nothing."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tillflow.contexts.stock.allocation import allocate
from tillflow.contexts.stock.rules import MOST_LINES, Level, ReservationRefused, Stocked, Variant

AT = datetime(2026, 2, 10, tzinfo=UTC)
SKUS = ("A", "B", "C")

stock = st.fixed_dictionaries(
    {sku: st.dictionaries(st.sampled_from(["w1", "w2", "w3", "w4"]), st.integers(0, 12), max_size=4) for sku in SKUS}
)
demands = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 20), min_size=1)


def shelves(levels: dict[str, dict[str, int]]) -> dict[str, Stocked]:
    return {
        sku: Stocked(
            Variant(f"id-{sku}", sku, sku, active=True, expires_at=None),
            tuple(Level(f"id-{sku}", warehouse, available) for warehouse, available in of_sku.items()),
        )
        for sku, of_sku in levels.items()
    }


@given(stock, demands)
def test_an_order_gets_exactly_what_it_wants_from_what_is_there_or_nothing(
    levels: dict[str, dict[str, int]], demand: dict[str, int]
) -> None:
    enough = all(sum(levels[sku].values()) >= quantity for sku, quantity in demand.items())

    try:
        lines = allocate(demand, shelves(levels), AT)
    except ReservationRefused:
        assert not enough
        return

    assert enough
    assert len(lines) <= MOST_LINES
    assert len({(line.sku, line.warehouse_id) for line in lines}) == len(lines)
    for sku, quantity in demand.items():
        assert sum(line.quantity for line in lines if line.sku == sku) == quantity
    for line in lines:
        assert 0 < line.quantity <= levels[line.sku][line.warehouse_id]


@given(stock, demands)
def test_where_one_warehouse_has_everything_it_alone_serves(levels: dict[str, dict[str, int]], demand: dict[str, int]) -> None:
    whole = {
        warehouse
        for warehouse in ("w1", "w2", "w3", "w4")
        if all(levels[sku].get(warehouse, 0) >= quantity for sku, quantity in demand.items())
    }

    if whole:
        assert {line.warehouse_id for line in allocate(demand, shelves(levels), AT)} == {min(whole)}


@given(st.data(), stock, demands)
def test_the_order_in_which_levels_are_read_does_not_matter(
    data: st.DataObject, levels: dict[str, dict[str, int]], demand: dict[str, int]
) -> None:
    other = {sku: dict(data.draw(st.permutations(list(of_sku.items())))) for sku, of_sku in levels.items()}

    assert _outcome(demand, levels) == _outcome(demand, other)


def _outcome(demand: dict[str, int], levels: dict[str, dict[str, int]]) -> object:
    try:
        return allocate(demand, shelves(levels), AT)
    except ReservationRefused as refused:
        return refused.reason
